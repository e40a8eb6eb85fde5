import { BlockList, isIP } from 'node:net';

/** The variables by which programs are told of proxies, in either case. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an origin, by the rules that Go and so the kubelet follow (golang.org/x/net/http/httpproxy): `HTTPS_PROXY` or `HTTP_PROXY` by the
 * scheme, and none for loopback addresses and for what `NO_PROXY` names: `*`, a host and its subdomains, `.suffix` for the subdomains
 * alone, each with a port or without, an address, or a network such as 10.0.0.0/8. `ALL_PROXY` stands in for either, as in curl.
 *
 * @returns undefined when there is none; a proxy that is not an http or https URL counts as none
 */
export function proxyFor(origin: URL, environment: ProxyEnvironment): URL | undefined {
  const read = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const named = read(origin.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read('ALL_PROXY');
  if (named === '' || isLocal(hostOf(origin))) return undefined;
  if (
    read('NO_PROXY')
      .split(',')
      .some((rule) => covers(rule.trim().toLowerCase(), origin))
  )
    return undefined;
  const url = URL.parse(named.includes('://') ? named : `http://${named}`);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

/**
 * What a proxy is shown of the user and password in its URL (RFC 7617). Of a `%` that begins no escape the text itself is taken, as curl
 * does: passwords are pasted into URLs as they are.
 *
 * @returns the value of `Proxy-Authorization`; empty when the URL holds neither
 */
export function proxyAuthorization({ username, password }: URL): string {
  if (username === '' && password === '') return '';
  return `Basic ${Buffer.concat([unescaped(username), Buffer.from(':'), unescaped(password)]).toString('base64')}`;
}

// Byte by byte, as what a password stands for need not be UTF-8. All else in a URL is ASCII.
function unescaped(text: string): Buffer {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}

function covers(rule: string, origin: URL): boolean {
  if (rule === '') return false;
  if (rule === '*') return true;
  const host = hostOf(origin);
  if (rule.includes('/')) return isInNetwork(host, rule);
  const [, name = rule, port = ''] = /^(.*?|\[.*\]):(\d+)$/.exec(rule) ?? [];
  if (port !== '' && port !== portOf(origin)) return false;
  const pattern = name.replace(/^\*(?=\.)/, '').replace(/^\[(.*)\]$/, '$1');
  if (pattern.startsWith('.')) return host.endsWith(pattern);
  return host === pattern || (isIP(host) === 0 && host.endsWith(`.${pattern}`));
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', prefix = ''] = network.split('/');
  const family = isIP(address);
  const bits = Number(prefix);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(prefix) || bits > (family === 6 ? 128 : 32))
    return false;
  const list = new BlockList();
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  list.addSubnet(address, bits, kind);
  return list.check(host, kind);
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function hostOf(origin: URL): string {
  return origin.hostname.replace(/^\[(.*)\]$/, '$1');
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}
