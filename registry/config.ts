import { z } from 'zod';
import { parseBody } from './body.ts';
import { apiUrl, type Repository } from './endpoint.ts';
import { verify } from './manifests.ts';
import type { Access, RegistryRequest, Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_BYTES = 4 * 1024 * 1024;

// https://github.com/opencontainers/image-spec/blob/main/config.md, as far as it is read here.
const imageConfig = z.object({
  created: z.string().optional().catch(undefined),
  config: z
    .object({ Labels: z.record(z.string(), z.string()).nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
});

/** What an image says of itself. */
export interface ImageConfig {
  readonly created?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The config of an image.
 *
 * @param digest as the image's manifest names it
 * @throws {RegistryError}
 */
export async function fetchConfig(
  send: Send,
  repository: Repository,
  digest: string,
  access: Access,
): Promise<ImageConfig> {
  const what = `the config ${digest} of ${repository.name}`;
  const request: RegistryRequest = {
    method: 'GET',
    url: apiUrl(repository, `blobs/${digest}`),
    headers: { accept: '*/*' },
    maxBytes: MAX_BYTES,
    repository,
    access,
  };
  const answer = await send(request);
  if (answer.status !== 200) throw statusError(answer, request, what);
  verify(answer.body, digest, request, what);
  const { created, config } = parseBody(imageConfig, answer, request, what);
  return { ...(created !== undefined && { created }), labels: config?.Labels ?? {} };
}
