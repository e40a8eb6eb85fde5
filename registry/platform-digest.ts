import type { Repository } from './endpoint.ts';
import { fetchManifest } from './manifests.ts';
import type { Access, Send } from './request.ts';

/** The one platform that Fleet asks for. */
const OS = 'linux';
const ARCHITECTURE = 'amd64';

/**
 * The digest of the linux/amd64 image that a digest leads to, as go-containerregistry finds it, which Fleet uses: of an index
 * the first such child, where one without a platform counts as such; of an image its own.
 *
 * @returns undefined when an index has no such child
 * @throws {RegistryError}
 */
export async function amd64Digest(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<string | undefined> {
  const { manifests } = await fetchManifest(send, repository, digest, access);
  if (manifests === undefined) return digest;
  const child = manifests.find(
    ({ platform }) =>
      platform === undefined || (platform.os === OS && platform.architecture === ARCHITECTURE),
  );
  return child?.digest;
}
