import type { X509Certificate } from 'node:crypto';
import { bundleText, distinct, issuedAt, renewalOf } from './bundle.ts';
import { type CertificateState, type Holdings, readHoldings } from './holdings.ts';
import { isFor, type ServingNames } from './names.ts';

/** All in milliseconds. */
export interface RotationPolicy {
  readonly caValidMs: number;
  readonly leafValidMs: number;
  /** How long after a bundle was published every API server surely has it. */
  readonly publishDelayMs: number;
}

const DAY_MS = 86_400_000;
/** Both kinds are renewed at two thirds of their life, so nothing breaks while nobody leads for a month. */
export const DEFAULT_POLICY: RotationPolicy = {
  caValidMs: 365 * DAY_MS,
  leafValidMs: 90 * DAY_MS,
  publishDelayMs: 10_000,
};

/** What to do next. `reason` is for a person; nothing in a step is secret. */
export type Step =
  /** All is well, or waits: ask again at `checkAt`, which is later than now, or when an object changes. */
  | { kind: 'none'; checkAt: Date }
  /** A new authority and a leaf of it, at once: nobody trusts anything yet, so there is nothing to break. */
  | { kind: 'issue-all'; reason: string }
  /** A new signing authority ahead of those in the bundle `keep`; the serving certificate stays. */
  | { kind: 'add-authority'; keep: string; reason: string }
  /** `bundle` becomes the Secret's list of authorities. */
  | { kind: 'keep-authorities'; bundle: string; reason: string }
  /** `bundle` becomes the caBundle of every webhook. */
  | { kind: 'publish-bundle'; bundle: string; reason: string }
  /** A new serving certificate, signed by `authority`, whose key is in the Secret. */
  | { kind: 'issue-leaf'; authority: string; reason: string };

/** More authorities than this come of damage again and again; the Secret must not grow without end. */
const MOST_AUTHORITIES = 10;

/**
 * The next step on the way to a Secret with a serving certificate for `wanted` and a webhook configuration that trusts it.
 *
 * The order of steps keeps these true, whatever step a crash follows and whatever was damaged:
 * - A leaf of a new authority is issued only when API servers have had that authority for `publishDelayMs`. The time
 *   counts from when the caller itself saw the bundle published, so no clock is compared with another, and a new leader
 *   only waits once more.
 * - An authority is trusted until its last leaf must have expired. No leaf of it is issued once a newer one exists,
 *   since the Secret keeps the key of the newest only. So a replica that cannot reload stays trusted too. (When
 *   `leafValidMs` is made shorter, the older and longer leaf is covered only while it is the one in the Secret.)
 * - When the Secret is lost or spoilt, replicas go on serving what they have in memory; the authority of that is taken
 *   over from the webhook configuration.
 *
 * A person whose authority's key leaked removes `ca.key` from the Secret, waits for the new leaf, and then removes the old
 * authority from `ca.crt`: while an authority can sign, the Secret's list is believed.
 */
export function nextStep(
  state: CertificateState,
  wanted: ServingNames,
  now: Date,
  policy: RotationPolicy,
): Step {
  const holdings = readHoldings(state, now);
  const { signer, authorities } = holdings;
  if (typeof signer === 'string') return replaceLostAuthority(holdings, signer, now, policy);

  const needed = stillNeeded(authorities, holdings, now, policy);
  const bundle = bundleText(needed);
  if (renewalOf(signer) <= now.getTime()) {
    return { kind: 'add-authority', keep: bundle, reason: 'the authority has passed two thirds of its life' };
  }
  if (state.secret?.authorities !== bundle) {
    return {
      kind: 'keep-authorities',
      bundle,
      reason: 'the list holds what is not needed, or lacks an authority',
    };
  }
  if (state.published.bundles.some((published) => published !== bundle)) {
    return { kind: 'publish-bundle', bundle, reason: 'the webhook configuration has another bundle' };
  }
  const reason = whyReplaceLeaf(holdings, signer, wanted, now);
  if (reason === undefined) return { kind: 'none', checkAt: nextDue(holdings, needed, policy) };
  const trustedAt = new Date(state.published.since.getTime() + policy.publishDelayMs);
  if (trustedAt > now) return { kind: 'none', checkAt: trustedAt };
  return { kind: 'issue-leaf', authority: signer.toString(), reason };
}

function replaceLostAuthority(holdings: Holdings, reason: string, now: Date, policy: RotationPolicy): Step {
  const trusted = distinct([...holdings.authorities, ...holdings.published]);
  if (trusted.length === 0) return { kind: 'issue-all', reason };
  return { kind: 'add-authority', keep: bundleText(stillNeeded(trusted, holdings, now, policy)), reason };
}

function whyReplaceLeaf(
  { leaf }: Holdings,
  signer: X509Certificate,
  wanted: ServingNames,
  now: Date,
): string | undefined {
  if (typeof leaf === 'string') return leaf;
  if (!isSame(leaf.issuer, signer)) return 'a newer authority signs now';
  if (!isFor(leaf.certificate, wanted)) return 'the certificate is for other names than are wanted';
  if (renewalOf(leaf.certificate) <= now.getTime())
    return 'the certificate has passed two thirds of its life';
  return undefined;
}

/** Of the candidates, those that must be trusted: the signer first, then the leaf's issuer, then from new to old. */
function stillNeeded(
  candidates: readonly X509Certificate[],
  { signer, leaf }: Holdings,
  now: Date,
  policy: RotationPolicy,
): X509Certificate[] {
  const inUse = [signer, typeof leaf === 'string' ? leaf : leaf.issuer].filter(
    (one) => typeof one !== 'string',
  );
  const newestFirst = candidates.toSorted((a, b) => issuedAt(b) - issuedAt(a));
  const needed = newestFirst.filter((one) => neededUntil(one, signer, policy) > now.getTime());
  return distinct([...inUse, ...needed]).slice(0, MOST_AUTHORITIES);
}

/** When (ms) the last leaf of an authority that does not sign any more must have expired: none is newer than the signer. */
function neededUntil(
  retired: X509Certificate,
  signer: Holdings['signer'],
  { leafValidMs }: RotationPolicy,
): number {
  const end = retired.validToDate.getTime();
  return typeof signer === 'string' ? end : Math.min(end, issuedAt(signer) + leafValidMs);
}

/** When all is well: the next renewal, or the end of an authority that does not sign any more. */
function nextDue(
  { signer, leaf }: Holdings,
  [, ...retired]: readonly X509Certificate[],
  policy: RotationPolicy,
): Date {
  const current = [signer, typeof leaf === 'string' ? leaf : leaf.certificate].filter(
    (one) => typeof one !== 'string',
  );
  const ends = retired.map((authority) => neededUntil(authority, signer, policy));
  return new Date(Math.min(...current.map(renewalOf), ...ends));
}

function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.fingerprint256 === b.fingerprint256;
}
