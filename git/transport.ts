import type { Address } from './address.ts';
import type { Trust } from './agent.ts';
import type { GitContext, Setting } from './environment.ts';
import { basicAuthorization } from './redirect.ts';
import { withSsh } from './ssh.ts';

/** Does `work` with a context in which git reaches a repository's server: whom we are to it, and how it is recognised. */
export async function withServer<T>(
  context: GitContext,
  address: Address,
  trust: Trust,
  work: (context: GitContext) => Promise<T>,
): Promise<T> {
  if (address.kind === 'ssh') return withSsh(context, address.key, work);
  return work({ ...context, settings: [...context.settings, ...httpSettings(address, trust)] });
}

/** What must not be in a message, though a server or a proxy may repeat it. */
export function secretsIn(address: Address): readonly string[] {
  // No server is ever sent a private key.
  if (address.kind === 'ssh' || address.credential === undefined) return [];
  const { credential } = address;
  const secrets = [basicAuthorization(credential).slice('Basic '.length), credential.password];
  return secrets.filter((secret) => secret !== '');
}

type HttpAddress = Extract<Address, { kind: 'http' }>;

function httpSettings({ url, credential }: HttpAddress, { caFile, insecureSkipTLSVerify }: Trust): Setting[] {
  const settings: Setting[] = [['http.sslVerify', String(insecureSkipTLSVerify !== true)]];
  if (caFile !== undefined) settings.push(['http.sslCAInfo', caFile]);
  if (credential === undefined) return settings;
  const header = `Authorization: ${basicAuthorization(credential)}`;
  return [
    ...settings,
    [`http.${new URL(url).origin}/.extraHeader`, header],
    // git sends an extra header on to wherever it is redirected.
    ['http.followRedirects', 'false'],
  ];
}
