import { CodedError } from '../core/errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { MUTATING_WEBHOOKS, type ObjectPath, SECRETS } from '../kube/resource.ts';
import type { CertificateState } from './holdings.ts';
import {
  newSecret,
  readSecret,
  readWebhooks,
  type SecretObject,
  secretPatch,
  type WebhookObject,
  webhooksPatch,
} from './objects.ts';
import type { Change } from './perform.ts';

/** Both objects as they were read; undefined where there is none. */
export interface Found {
  readonly secret: SecretObject | undefined;
  readonly webhooks: WebhookObject | undefined;
  readonly state: CertificateState;
}

const WRITER = { fieldManager: 'fleetscan-certificates' };

/** The Secret and the webhook configuration on the API server. */
export class CertificateObjects {
  readonly #client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly #secret: Required<Omit<ObjectPath, 'subresource'>>;
  readonly #configuration: ObjectPath;
  #sight: { readonly bundles: string; readonly since: Date } | undefined;

  constructor(options: {
    client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
    namespace: string;
    secretName: string;
    webhookConfiguration: string;
  }) {
    this.#client = options.client;
    this.#secret = { resource: SECRETS, namespace: options.namespace, name: options.secretName };
    this.#configuration = { resource: MUTATING_WEBHOOKS, name: options.webhookConfiguration };
  }

  get paths(): readonly ObjectPath[] {
    return [this.#secret, this.#configuration];
  }

  /** Both objects' names, for a message. */
  get description(): string {
    const { namespace, name } = this.#secret;
    return `Secret ${namespace}/${name} or MutatingWebhookConfiguration ${this.#configuration.name}`;
  }

  /**
   * Reads both objects from the API server itself, no cache.
   *
   * @throws {ApiError} any but 'NotFound'; {CertificateObjectError} when an object is not of the kind it should be
   */
  async read(now: Date, signal: AbortSignal): Promise<Found> {
    const [secret, webhooks] = await Promise.all([
      this.#get(this.#secret, readSecret, signal),
      this.#get(this.#configuration, readWebhooks, signal),
    ]);
    const bundles = webhooks?.webhooks.map(({ bundle }) => bundle) ?? [];
    const published = { bundles, since: this.#firstSight(bundles, now) };
    return { secret, webhooks, state: { published, ...(secret && { secret: secret.content }) } };
  }

  /**
   * Writes a change, if the object is still as it was found.
   *
   * @returns false when it is not, or is gone, or has come to be meanwhile
   * @throws {ApiError} any other
   */
  async write(found: Found, change: Change, signal: AbortSignal): Promise<boolean> {
    if (change.kind === 'webhooks') {
      if (found.webhooks === undefined) return false;
      const body = webhooksPatch(found.webhooks, change.bundle);
      return unlessOvertaken(this.#client.patch(this.#configuration, body, 'strategic', WRITER, signal));
    }
    if (found.secret !== undefined) {
      const body = secretPatch(found.secret, change.content);
      return unlessOvertaken(this.#client.patch(this.#secret, body, 'merge', WRITER, signal));
    }
    const { resource, namespace, name } = this.#secret;
    const body = newSecret(namespace, name, change.content);
    return unlessOvertaken(
      this.#client.create({ resource, namespace }, body, WRITER, signal),
      'AlreadyExists',
    );
  }

  async #get<T>(path: ObjectPath, read: (object: unknown) => T, signal: AbortSignal): Promise<T | undefined> {
    try {
      return read(await this.#client.get(path, signal));
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  /** Since when these very bundles were seen at every read. A clock that went back begins anew. */
  #firstSight(bundles: readonly string[], now: Date): Date {
    const text = JSON.stringify(bundles);
    if (this.#sight?.bundles !== text || this.#sight.since > now) this.#sight = { bundles: text, since: now };
    return this.#sight.since;
  }
}

async function unlessOvertaken(
  write: Promise<unknown>,
  sign: 'NotFound' | 'AlreadyExists' = 'NotFound',
): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (hasCode(error, 'Conflict') || hasCode(error, sign)) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof CodedError && error.code === code;
}
