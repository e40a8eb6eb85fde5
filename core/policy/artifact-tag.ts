// The referrers tag schema of the distribution specification: an algorithm that image-spec registers and 64 characters of a digest. Cosign
// adds what it is, and cuts a digest only where a tag ends, at 128 characters.
const ARTIFACT_TAG = /^(?:(?:sha256|blake3)-[0-9a-f]{64}|sha512-[0-9a-f]{64,121})(?:\.(sig|att|sbom))?$/;
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
