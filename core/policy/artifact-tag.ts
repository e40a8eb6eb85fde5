// The referrers tag schema of the distribution specification: an algorithm and up to 64 characters of a digest; cosign adds what it is.
const ARTIFACT_TAG = /^(?:sha256|sha512)-[0-9a-f]{64}(?:\.(sig|att|sbom))?$/;
const SHORTEST = 'sha256-'.length + 64;

const KINDS: Readonly<Record<string, string>> = {
  sig: 'a cosign signature',
  att: 'a cosign attestation',
  sbom: 'an SBOM',
};

/** What a tag is whose name says that it is no image: `sha256-….sig`. @returns undefined for any other tag */
export function artifactTag(tag: string): string | undefined {
  if (tag.length < SHORTEST) return undefined;
  const match = ARTIFACT_TAG.exec(tag);
  if (match === null) return undefined;
  return KINDS[match[1] ?? ''] ?? 'a list of what refers to an image';
}
