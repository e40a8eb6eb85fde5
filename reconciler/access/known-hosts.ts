import type { KubeClient } from '../../kube/client.ts';
import { ConfigMapError, type NamespacedName, readConfigMap } from '../../kube/config-map.ts';
import { AccessError } from './error.ts';

const KEY = 'known_hosts';

/**
 * The host keys that the whole cluster believes: those of its ConfigMap, as Fleet's `known-hosts`.
 *
 * @returns none when no ConfigMap is named: then ssh says which host is unknown
 * @throws {AccessError} `KnownHostsUnavailable` when the ConfigMap cannot be read or lacks its key
 */
export async function clusterKnownHosts(
  client: Pick<KubeClient, 'get'>,
  configMap: NamespacedName | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (configMap === undefined) return '';
  const where = `--known-hosts (knownHosts of the chart) names ConfigMap ${configMap.namespace}/${configMap.name}`;
  try {
    const { [KEY]: text } = await readConfigMap(client, configMap, signal);
    if (text !== undefined) return text;
    throw new AccessError('KnownHostsUnavailable', `${where}, which has no key ${KEY}`);
  } catch (cause) {
    if (!(cause instanceof ConfigMapError)) throw cause;
    throw new AccessError('KnownHostsUnavailable', `${where}, but ${cause.message}`, { cause });
  }
}
