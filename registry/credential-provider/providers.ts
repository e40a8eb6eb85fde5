import type { Reference } from '../../core/reference.ts';
import { DOCKER_HUB } from '../../core/reference.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import { type Credential, credentialsFor, matchesImage } from '../credentials.ts';
import type { CredentialProvider } from './config.ts';
import { askProvider, type ProviderAnswer, type ProviderOptions } from './exec.ts';

const MAX_ANSWERS = 1024;
/** The last share of an answer's life, in which it is still used while the next is fetched. */
const RENEWAL_SHARE = 0.1;
/** After a renewal that failed. */
const RENEWAL_PAUSE_MS = 10_000;

type Image = Pick<Reference, 'registry' | 'repository'>;

interface Kept {
  readonly answer: ProviderAnswer;
  readonly expiresAt: number;
  renewAt: number;
}

/** Credentials for images, from the providers that are for them. */
export interface CredentialProviders {
  /** @throws {ProviderError} 'ProviderFailed' */
  credentialsFor(image: Image): Promise<Credential[]>;
}

/** Asks providers as the kubelet does. An answer is kept for as long as it says, and renewed shortly before it ends. */
export function createCredentialProviders(
  providers: readonly CredentialProvider[],
  options: ProviderOptions,
  clock: Clock,
): CredentialProviders {
  const sources = providers.map((provider) => new Source(provider, options, clock));
  return {
    credentialsFor: async (image) => {
      const found = await Promise.all(sources.map((source) => source.credentialsFor(image)));
      return found.flat();
    },
  };
}

/** One provider, with the answers that it gave. */
class Source {
  readonly #provider: CredentialProvider;
  readonly #options: ProviderOptions;
  readonly #clock: Clock;
  /** By image, by registry, or under {@link GLOBAL}. */
  readonly #kept = new BoundedMap<string, Kept>(MAX_ANSWERS);
  /** What is being asked at the moment, by image. */
  readonly #asking = new Map<string, Promise<ProviderAnswer>>();

  constructor(provider: CredentialProvider, options: ProviderOptions, clock: Clock) {
    this.#provider = provider;
    this.#options = options;
    this.#clock = clock;
  }

  async credentialsFor(image: Image): Promise<Credential[]> {
    if (!this.#provider.matchImages.some((pattern) => matchesImage(pattern, image))) return [];
    const { auth } = await this.#answerFor(image);
    const entries = Object.entries(auth).map(([key, credential]) => ({ key, credential }));
    return credentialsFor([{ entries }], image);
  }

  async #answerFor(image: Image): Promise<ProviderAnswer> {
    const kept = this.#keptFor(image);
    if (kept !== undefined) {
      if (kept.renewAt <= this.#clock.now()) this.#renew(image, kept);
      return kept.answer;
    }
    return this.#askOnce(image);
  }

  #keptFor(image: Image): Kept | undefined {
    const now = this.#clock.now();
    return keysOf(image)
      .map((key) => this.#kept.get(key))
      .find((kept) => kept !== undefined && kept.expiresAt > now);
  }

  /** In the background: what is still good is served meanwhile, and also after a failure. */
  #renew(image: Image, kept: Kept): void {
    kept.renewAt = this.#clock.now() + RENEWAL_PAUSE_MS;
    this.#askOnce(image).catch(() => {});
  }

  /** Whoever asks for the same image, or for another of the registry where the answer turns out to be good for it, waits for the same run. */
  async #askOnce(image: Image): Promise<ProviderAnswer> {
    const own = nameOf(image);
    const underWay = this.#asking.get(own);
    if (underWay !== undefined) return underWay;
    const neighbour = this.#asking.entries().find(([name]) => name.startsWith(`${hostOf(image)}/`));
    const asking = this.#askAfter(neighbour?.[1], image).finally(() => this.#asking.delete(own));
    this.#asking.set(own, asking);
    return asking;
  }

  /** What the neighbour's run gives, be it a failure, is good for all images of the registry, unless the answer says that it is not. */
  async #askAfter(neighbour: Promise<ProviderAnswer> | undefined, image: Image): Promise<ProviderAnswer> {
    const shared = await neighbour;
    if (shared !== undefined && shared.cacheKeyType !== 'Image') return shared;
    const answer = await askProvider(this.#provider, nameOf(image), this.#options);
    this.#keep(image, answer);
    return answer;
  }

  #keep(image: Image, answer: ProviderAnswer): void {
    if (answer.cacheMs === 0) return;
    const now = this.#clock.now();
    const kept = {
      answer,
      expiresAt: now + answer.cacheMs,
      renewAt: now + answer.cacheMs * (1 - RENEWAL_SHARE),
    };
    this.#kept.set(keyOf(image, answer), kept);
  }
}

const GLOBAL = '';

function keyOf(image: Image, { cacheKeyType }: ProviderAnswer): string {
  switch (cacheKeyType) {
    case 'Image':
      return nameOf(image);
    case 'Registry':
      return hostOf(image);
    case 'Global':
      return GLOBAL;
  }
}

function keysOf(image: Image): string[] {
  return [nameOf(image), hostOf(image), GLOBAL];
}

/** The image as the kubelet names it to providers. */
function nameOf(image: Image): string {
  return `${hostOf(image)}/${image.repository}`;
}

function hostOf({ registry }: Image): string {
  return registry === DOCKER_HUB ? 'docker.io' : registry;
}
