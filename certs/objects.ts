import { z } from 'zod';
import { apiVersion, MUTATING_WEBHOOKS, SECRETS } from '../kube/resource.ts';
import { CertificateObjectError } from './errors.ts';
import type { SecretContent } from './holdings.ts';

/** The Secret as it was read. */
export interface SecretObject {
  readonly resourceVersion: string;
  readonly content: SecretContent;
}

/** The webhook configuration as it was read. */
export interface WebhookObject {
  readonly resourceVersion: string;
  readonly webhooks: readonly { readonly name: string; readonly bundle: string }[];
}

const secretObject = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).nullish(),
});
const webhookObject = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  webhooks: z
    .array(z.object({ name: z.string(), clientConfig: z.object({ caBundle: z.string().nullish() }) }))
    .nullish(),
});

/** @throws {CertificateObjectError} 'InvalidSecret' when the object is no Secret at all; its content may be anything */
export function readSecret(object: unknown): SecretObject {
  const parsed = secretObject.safeParse(object);
  if (!parsed.success) {
    throw new CertificateObjectError('InvalidSecret', `not a Secret: ${z.prettifyError(parsed.error)}`);
  }
  const { metadata, data } = parsed.data;
  const content = {
    certificate: decode(data?.['tls.crt']),
    key: decode(data?.['tls.key']),
    authorities: decode(data?.['ca.crt']),
    authorityKey: decode(data?.['ca.key']),
  };
  return { resourceVersion: metadata.resourceVersion, content };
}

/** @throws {CertificateObjectError} 'InvalidWebhookConfiguration' when the object is none */
export function readWebhooks(object: unknown): WebhookObject {
  const parsed = webhookObject.safeParse(object);
  if (!parsed.success) {
    const message = `not a MutatingWebhookConfiguration: ${z.prettifyError(parsed.error)}`;
    throw new CertificateObjectError('InvalidWebhookConfiguration', message);
  }
  const { metadata, webhooks } = parsed.data;
  return {
    resourceVersion: metadata.resourceVersion,
    webhooks: (webhooks ?? []).map(({ name, clientConfig }) => ({
      name,
      bundle: decode(clientConfig.caBundle),
    })),
  };
}

/**
 * A new Secret. Its type is kubernetes.io/tls, which allows further keys: tools that watch certificates find it by that
 * type, and the API server refuses to store one from which `tls.crt` or `tls.key` was removed.
 */
export function newSecret(namespace: string, name: string, content: SecretContent): object {
  return {
    apiVersion: apiVersion(SECRETS),
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { namespace, name, labels: { 'app.kubernetes.io/part-of': 'fleetscan' } },
    data: encodeContent(content),
  };
}

/** A merge patch that gives a Secret its content, if it is still the one that was read; else the server answers Conflict. */
export function secretPatch(read: SecretObject, content: SecretContent): object {
  return { metadata: { resourceVersion: read.resourceVersion }, data: encodeContent(content) };
}

/**
 * A strategic merge patch that gives every webhook this bundle, if the configuration is still the one that was read. The
 * patch finds webhooks by name and leaves all their other fields alone; the resourceVersion keeps it from adding half a
 * webhook where one was removed meanwhile.
 */
export function webhooksPatch({ resourceVersion, webhooks }: WebhookObject, bundle: string): object {
  const caBundle = encode(bundle);
  return {
    apiVersion: apiVersion(MUTATING_WEBHOOKS),
    kind: 'MutatingWebhookConfiguration',
    metadata: { resourceVersion },
    webhooks: webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })),
  };
}

function encodeContent(content: SecretContent): Record<string, string> {
  return {
    'tls.crt': encode(content.certificate),
    'tls.key': encode(content.key),
    'ca.crt': encode(content.authorities),
    'ca.key': encode(content.authorityKey),
  };
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function decode(base64: string | null | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('utf8');
}
