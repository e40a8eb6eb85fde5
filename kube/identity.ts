import type { ConnectionOptions } from 'node:tls';

/** What a call carries to prove who makes it. */
export interface Identity {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: TlsOptions;
}

export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;

/** Where the API server is and how to prove who we are. */
export interface Credentials {
  /** URL without a slash at the end; it may have a path, as behind Rancher. */
  readonly server: string;
  /** The namespace of the context or of the service account. */
  readonly namespace: string;
  readonly proxy: 'none' | 'environment' | { readonly url: string };
  /** The present tokens and certificates; cheap, since they are kept for a while. */
  identity(): Promise<Identity>;
  /** Forgets what is kept: the server refused it. */
  renew(): void;
}
