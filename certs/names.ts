import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { CertificateError } from './errors.ts';

/** The names that a serving certificate is for. */
export interface ServingNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const DNS_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * The names under which API servers call the webhook: `<service>.<namespace>.svc`, which is the only one they use for a
 * Service whatever the cluster's domain, and the host of the URL where the webhook is registered by URL.
 *
 * @throws {CertificateError} 'InvalidName' when the URL or a name that follows from the parts is none
 */
export function servingNames(webhook: { service: string; namespace: string; url?: string }): ServingNames {
  const hosts = [`${webhook.service}.${webhook.namespace}.svc`];
  if (webhook.url !== undefined) hosts.push(hostOf(webhook.url));
  const names = {
    dnsNames: distinct(hosts.filter((host) => isIP(host) === 0)),
    ipAddresses: distinct(hosts.filter((host) => isIP(host) !== 0)),
  };
  checkNames(names);
  return names;
}

/**
 * @throws {CertificateError} 'InvalidName' when there is no name at all, or one that cannot stand in a certificate
 */
export function checkNames({ dnsNames, ipAddresses }: ServingNames): void {
  if (dnsNames.length + ipAddresses.length === 0) {
    throw new CertificateError(
      'InvalidName',
      'a serving certificate needs at least one DNS name or IP address',
    );
  }
  const wrong =
    dnsNames.find((name) => name.length > 253 || !DNS_NAME.test(name)) ??
    ipAddresses.find((ip) => isIP(ip) === 0);
  if (wrong !== undefined) {
    throw new CertificateError(
      'InvalidName',
      `"${wrong}" is no DNS name or IP address that a certificate can be for`,
    );
  }
}

/** Whether a certificate is for these names and no others. */
export function isFor(certificate: X509Certificate, { dnsNames, ipAddresses }: ServingNames): boolean {
  const dns = distinct(dnsNames);
  const ips = distinct(ipAddresses);
  const held = certificate.subjectAltName?.split(', ').length ?? 0;
  return (
    held === dns.length + ips.length &&
    dns.every((name) => certificate.checkHost(name, { subject: 'never', wildcards: false }) !== undefined) &&
    ips.every((ip) => certificate.checkIP(ip) !== undefined)
  );
}

function hostOf(url: string): string {
  if (!URL.canParse(url)) throw new CertificateError('InvalidName', `webhook URL "${url}" is not a URL`);
  // URL keeps the brackets of an IPv6 host, which belong to the URL and not to the address.
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
