import { createHash } from 'node:crypto';

/** A manifest of one platform, told apart from others by `name`. */
export function imageManifest(name: string): object {
  const digest = digestOf(Buffer.from(name));
  const mediaType = 'application/vnd.oci.image.config.v1+json';
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType, digest, size: name.length },
    layers: [],
  };
}

/** An index over images of these platforms, such as `linux/amd64`. */
export function imageIndex(name: string, platforms: readonly string[]): object {
  const manifests = platforms.map((platform) => {
    const [os, architecture] = platform.split('/');
    const content = Buffer.from(JSON.stringify(imageManifest(`${name} ${platform}`)));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    return { mediaType, digest: digestOf(content), size: content.length, platform: { os, architecture } };
  });
  return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
}

export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A manifest whose config is of the given media type: of an image, a chart or anything else. */
export function manifestOf(
  configType: string,
  config: { digest: string; size: number },
  more: object = {},
): object {
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: configType, ...config },
    layers: [],
    ...more,
  };
}

/** The config of an image: when it was created, and its labels. */
export function imageConfig(created?: string, labels?: Record<string, string>): Buffer {
  return Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', created, config: { Labels: labels ?? null } }),
  );
}
