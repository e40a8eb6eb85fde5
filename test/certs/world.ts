import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { issueAuthority, issueServing, type KeySource } from '../../certs/authority.ts';
import { issuerOf, readAuthorities, readPair } from '../../certs/bundle.ts';
import type { SecretContent } from '../../certs/holdings.ts';
import { perform } from '../../certs/perform.ts';
import { nextStep, type RotationPolicy, type Step } from '../../certs/rotation.ts';

export const POLICY: RotationPolicy = { caValidMs: 1_200_000, leafValidMs: 300_000, publishDelayMs: 10_000 };
export const WANTED = { dnsNames: ['fleetscan.fleetscan-system.svc'], ipAddresses: [] };
const EMPTY: SecretContent = { certificate: '', key: '', authorities: '', authorityKey: '' };

/** A webhook replica: it serves what it last took from the Secret, however long ago. */
interface Replica {
  leaf: X509Certificate | undefined;
  /** Damage has destroyed every trace of this leaf's authority, or put a leaf there that the keeper did not issue. */
  orphan: boolean;
}

/** A bundle that API servers had from `from` on. The keeper answers for its own since the last damage. */
interface BundleVersion {
  readonly from: number;
  readonly bundle: string | undefined;
  readonly by: 'keeper' | 'damage';
}

/** A cluster in memory in which time passes, keepers crash, replicas lag behind and people break things. */
export class World {
  now = Date.UTC(2030, 0, 1);
  secret: SecretContent | undefined;
  readonly replicas: Replica[] = [1, 2, 3].map(() => ({ leaf: undefined, orphan: false }));
  readonly #newKeys: KeySource;
  readonly #backups: SecretContent[] = [];
  #bundles: BundleVersion[] = [{ from: this.now, bundle: '', by: 'damage' }];
  #sight: { bundle: string | undefined; since: number } | undefined;
  #isForeign = false;

  constructor(newKeys: KeySource) {
    this.#newKeys = newKeys;
  }

  /** The caBundle of the one webhook; undefined: there is no configuration. */
  get bundle(): string | undefined {
    return this.#bundles.at(-1)?.bundle;
  }

  get date(): Date {
    return new Date(this.now);
  }

  nextStep(): Step {
    const { bundle, secret } = this;
    if (this.#sight === undefined || this.#sight.bundle !== bundle) this.#sight = { bundle, since: this.now };
    const published = { bundles: bundle === undefined ? [] : [bundle], since: new Date(this.#sight.since) };
    return nextStep({ published, ...(secret && { secret }) }, WANTED, this.date, POLICY);
  }

  /** Takes up to `count` steps. Returns the last, which is 'none' when there was nothing more to do. */
  async keep(count = 20): Promise<Step> {
    let step = this.nextStep();
    for (let taken = 0; taken < count && step.kind !== 'none'; taken += 1) {
      await this.#take(step);
      this.check();
      step = this.nextStep();
    }
    if (step.kind === 'none')
      assert.ok(step.checkAt.getTime() > this.now, 'the next check is later than now');
    return step;
  }

  /** The keeper's process is gone, with all that it remembers. */
  crash(): void {
    this.#sight = undefined;
  }

  pass(ms: number): void {
    this.now += ms;
    this.check();
  }

  reload(index: number): void {
    const replica = this.replicas[index];
    if (replica === undefined || this.secret === undefined) return;
    try {
      replica.leaf = readPair(this.secret, this.date);
      replica.orphan = this.#isForeign || !this.#isTraceable(replica.leaf);
    } catch {
      // A spoilt Secret never replaces a good certificate.
    }
    this.check();
  }

  /** Lets the keeper and all replicas work in peace until nothing is waited for. */
  async heal(): Promise<void> {
    for (let round = 0; round < 5; round += 1) {
      const step = await this.keep();
      assert.equal(step.kind, 'none', 'the keeper comes to an end');
      const waitMs = step.kind === 'none' ? step.checkAt.getTime() - this.now : 0;
      if (waitMs > POLICY.publishDelayMs) break;
      this.pass(waitMs);
    }
    // What somebody put into the Secret can be believed only when it has been published for long enough.
    if (this.#isForeign) this.pass(POLICY.publishDelayMs);
    this.#isForeign = false;
    this.replicas.forEach((_, index) => this.reload(index));
    this.pass(POLICY.publishDelayMs);
    for (const { leaf, orphan } of this.replicas) {
      assert.ok(leaf !== undefined && !orphan, 'every replica has a certificate');
      assert.ok(leaf.validToDate > this.date, 'every replica has a certificate that is valid');
      assert.ok(this.bundle === undefined || this.#vouches(this.bundle, leaf), 'API servers trust it');
    }
  }

  /** The authorities that API servers are told to trust, by the keeper's last word. */
  get authorities(): X509Certificate[] {
    return readAuthorities(this.secret?.authorities ?? '', this.date);
  }

  /** What must hold at every moment: whatever an API server has, it trusts whatever a replica serves. */
  check(): void {
    for (const { leaf, orphan } of this.replicas) {
      if (leaf === undefined || orphan || leaf.validToDate <= this.date) continue;
      for (const bundle of this.#answeredFor()) {
        if (readAuthorities(bundle, this.date).length === 0) continue;
        assert.ok(this.#vouches(bundle, leaf), 'an API server does not trust a certificate that is served');
      }
    }
  }

  damageSecret(damage: (content: SecretContent) => SecretContent | undefined): void {
    if (this.secret !== undefined) this.#backups.push(this.secret);
    this.secret = damage(this.secret ?? EMPTY);
    this.#markOrphans();
  }

  damageBundle(bundle: string | undefined): void {
    this.#setBundle(bundle, 'damage');
    this.#markOrphans();
  }

  restoreBackup(index: number): void {
    const backup = this.#backups[index % Math.max(this.#backups.length, 1)];
    if (backup === undefined) return;
    this.#isForeign = true;
    this.damageSecret(() => backup);
  }

  /** Somebody puts a certificate of an authority of theirs into the Secret. */
  async plantForeignLeaf(): Promise<void> {
    const authority = await this.foreignAuthority();
    const leaf = await issueServing(
      { authority, ...WANTED, now: this.date, validMs: 900_000 },
      this.#newKeys,
    );
    this.#isForeign = true;
    this.damageSecret((content) => ({ ...content, ...leaf }));
  }

  foreignAuthority() {
    return issueAuthority({ now: this.date, validMs: 5_000_000 }, this.#newKeys);
  }

  async #take(step: Exclude<Step, { kind: 'none' }>): Promise<void> {
    const workshop = { wanted: WANTED, policy: POLICY, now: this.date, newKeys: this.#newKeys };
    const change = await perform(step, this.secret, workshop);
    if (change.kind === 'secret') this.secret = change.content;
    else this.#setBundle(change.bundle, 'keeper');
  }

  #setBundle(bundle: string | undefined, by: BundleVersion['by']): void {
    this.#bundles = [...this.#heldByApiServers(), { from: this.now, bundle, by }];
  }

  /** What some API server may still have: all that was current at some time within the delay. */
  #heldByApiServers(): BundleVersion[] {
    const begin = this.now - POLICY.publishDelayMs;
    return this.#bundles.filter((_, i) => (this.#bundles[i + 1]?.from ?? Infinity) > begin);
  }

  #answeredFor(): string[] {
    const held = this.#heldByApiServers();
    return held.slice(held.findLastIndex(({ by }) => by === 'damage') + 1).map(({ bundle }) => bundle ?? '');
  }

  #vouches(bundle: string, leaf: X509Certificate): boolean {
    return issuerOf(leaf, readAuthorities(bundle, this.date)) !== undefined;
  }

  #markOrphans(): void {
    for (const replica of this.replicas)
      replica.orphan ||= replica.leaf !== undefined && !this.#isTraceable(replica.leaf);
  }

  /** A leaf whose authority no object names any more, after damage, cannot be trusted again by any order of steps. */
  #isTraceable(leaf: X509Certificate): boolean {
    const { secret, bundle = '' } = this;
    return this.#vouches(`${secret?.authorities ?? ''}${this.#canSign() ? '' : bundle}`, leaf);
  }

  /** With an authority that can sign, the Secret's own list is believed, not the published one. */
  #canSign(): boolean {
    const [first] = this.authorities;
    if (first === undefined || this.secret === undefined) return false;
    try {
      return (
        readPair({ certificate: first.toString(), key: this.secret.authorityKey }, this.date) !== undefined
      );
    } catch {
      return false;
    }
  }
}
