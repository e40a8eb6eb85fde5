import { BlockList, isIP } from 'node:net';

const PRIVATE_IPV4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
const INSIDE = [
  ...PRIVATE_IPV4,
  '0.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '198.18.0.0/15',
  '::/127',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
];

const privateIPv4 = blockList(PRIVATE_IPV4);
const inside = blockList(INSIDE);

/** Whether a host, as a URL gives it, is an address in one of the private IPv4 networks of RFC 1918. */
export function isPrivateIPv4(hostname: string): boolean {
  return isIP(hostname) === 4 && privateIPv4.check(hostname, 'ipv4');
}

/**
 * Whether a host, as a URL gives it, is this machine or an address that does not lead out of the network: loopback,
 * link-local (with it the clouds' metadata servers, of which Oracle's is in 192.0.0.0/24), private, carrier-grade NAT, of benchmarks
 * (RFC 2544), and IPv4 in IPv6 by NAT64 or 6to4.
 */
export function isInside(hostname: string): boolean {
  if (/(?:^|\.)localhost\.?$/.test(hostname)) return true;
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(address);
  return family !== 0 && inside.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
