import { issueAuthority, issueServing, type KeySource } from './authority.ts';
import type { SecretContent } from './holdings.ts';
import type { ServingNames } from './names.ts';
import type { RotationPolicy, Step } from './rotation.ts';

/** What a step writes: the whole content of the Secret, or the caBundle of every webhook. */
export type Change = { kind: 'secret'; content: SecretContent } | { kind: 'webhooks'; bundle: string };

/** What a step is performed with. */
export interface Workshop {
  readonly wanted: ServingNames;
  readonly policy: RotationPolicy;
  readonly now: Date;
  /** Where keys come from; new ones of the default size when absent. */
  readonly newKeys?: KeySource;
}

const EMPTY: SecretContent = { certificate: '', key: '', authorities: '', authorityKey: '' };

/**
 * Makes what a step asks for; writes nothing.
 *
 * @param content what the Secret held when the step was chosen; undefined when there was no Secret
 */
export async function perform(
  step: Exclude<Step, { kind: 'none' }>,
  content: SecretContent | undefined,
  workshop: Workshop,
): Promise<Change> {
  const held = content ?? EMPTY;
  switch (step.kind) {
    case 'publish-bundle':
      return { kind: 'webhooks', bundle: step.bundle };
    case 'keep-authorities':
      return { kind: 'secret', content: { ...held, authorities: step.bundle } };
    case 'add-authority':
      return { kind: 'secret', content: { ...held, ...(await newAuthority(step.keep, workshop)) } };
    case 'issue-leaf':
      return { kind: 'secret', content: await withLeaf(step.authority, held, workshop) };
    case 'issue-all': {
      const authority = await newAuthority('', workshop);
      return {
        kind: 'secret',
        content: await withLeaf(authority.authorities, { ...EMPTY, ...authority }, workshop),
      };
    }
  }
}

async function newAuthority(
  keep: string,
  { policy, now, newKeys }: Workshop,
): Promise<Pick<SecretContent, 'authorities' | 'authorityKey'>> {
  const { certificate, key } = await issueAuthority({ now, validMs: policy.caValidMs }, newKeys);
  return { authorities: certificate + keep, authorityKey: key };
}

async function withLeaf(
  authority: string,
  content: SecretContent,
  { wanted, policy, now, newKeys }: Workshop,
): Promise<SecretContent> {
  const signer = { certificate: authority, key: content.authorityKey };
  const leaf = await issueServing(
    { ...wanted, authority: signer, now, validMs: policy.leafValidMs },
    newKeys,
  );
  return { ...content, certificate: leaf.certificate, key: leaf.key };
}
