import { Command, Option } from 'commander';
import { z } from 'zod';
import { address, milliseconds, name, readConfig } from '../program/config.ts';
import { FLEET_TAKEOVERS } from '../program/fleet-takeover.ts';
import { fleetTakeoverOption } from '../program/fleet-takeover-option.ts';
import { LOG_LEVELS } from '../program/log.ts';

const schema = z.object({
  healthListen: address,
  namespace: name,
  identity: name,
  leaseName: name,
  // The Lease's own field counts whole seconds.
  leaseDuration: milliseconds.refine((ms) => ms >= 1000, 'must be 1s or more'),
  certSecret: name,
  webhookConfig: name,
  service: name,
  webhookUrl: z.url({ protocol: /^https$/, error: 'is no https:// URL' }).optional(),
  insecureRegistry: z.array(z.string()),
  registriesConfig: name.optional(),
  imageCredentialProviderConfig: name.optional(),
  imageCredentialProviderBinDir: name.optional(),
  cacheDir: name,
  knownHosts: z
    .string()
    .regex(/^[a-z0-9-]+\/[a-z0-9.-]+$/, 'must be NAMESPACE/NAME')
    .transform((text) => {
      const [namespace = '', name = ''] = text.split('/');
      return { namespace, name };
    })
    .optional(),
  fleetTakeover: z.enum(FLEET_TAKEOVERS),
  compatibility: z.enum(['None', 'Fleet']),
  logLevel: z.enum(LOG_LEVELS),
  kubeconfig: z.string().optional(),
});
export type Config = z.output<typeof schema> & {
  /** The program's own variables, for the git it starts. */
  readonly environment: NodeJS.ProcessEnv;
};

/**
 * The reconciler's configuration, from its flags and environment.
 *
 * @throws {ConfigError} naming everything that is wrong
 */
export function readReconcilerConfig(argv: readonly string[]): Config {
  const command = new Command('reconciler')
    .description(
      'Scans registries, decides by policy, records the result in ImageScan status and writes it back to Git.',
    )
    .addOption(
      new Option('--health-listen <address>', 'probes and metrics, HTTP')
        .default(':8081')
        .env('FLEETSCAN_RECONCILER_HEALTH_LISTEN'),
    )
    .addOption(
      new Option('--namespace <name>', 'namespace of the Lease and the certificate Secret').env(
        'POD_NAMESPACE',
      ),
    )
    .addOption(new Option('--identity <name>', 'what this replica calls itself in the Lease').env('POD_NAME'))
    .addOption(
      new Option('--lease-name <name>', 'Lease that the leader holds').default('fleetscan-reconciler'),
    )
    .addOption(
      new Option(
        '--lease-duration <duration>',
        'how long after the last renewal by a leader that is gone another one takes over',
      )
        .default('15s')
        .env('FLEETSCAN_LEASE_DURATION'),
    )
    .addOption(
      new Option('--cert-secret <name>', "Secret with the webhook's certificate").default(
        'fleetscan-webhook-cert',
      ),
    )
    .addOption(
      new Option('--webhook-config <name>', 'MutatingWebhookConfiguration that gets the CA').default(
        'fleetscan',
      ),
    )
    .addOption(
      new Option('--service <name>', 'Service of the webhook, which the certificate is for').default(
        'fleetscan',
      ),
    )
    .addOption(
      new Option('--webhook-url <url>', 'where the API server calls the webhook, when not by the Service'),
    )
    .addOption(
      new Option('--insecure-registry <host>', 'registry that is spoken to over plain HTTP (repeatable)')
        .argParser((host: string, hosts: string[]) => [...hosts, host])
        .default([]),
    )
    .addOption(
      new Option(
        '--registries-config <file>',
        'how registries are spoken to: plain HTTP, certificates, rate (see docs/registries.md)',
      ),
    )
    .addOption(
      new Option(
        '--image-credential-provider-config <file>',
        'CredentialProviderConfig, as the kubelet takes it, for credentials of cloud registries',
      ),
    )
    .addOption(
      new Option('--image-credential-provider-bin-dir <folder>', 'folder with the programs that it names'),
    )
    .addOption(
      new Option('--cache-dir <folder>', 'where copies of Git repositories are kept')
        .default('/cache')
        .env('FLEETSCAN_CACHE_DIR'),
    )
    .addOption(
      new Option(
        '--known-hosts <namespace/name>',
        'ConfigMap whose key known_hosts has the host keys of Git servers that Secrets with SSH keys do not have',
      ).env('FLEETSCAN_KNOWN_HOSTS'),
    )
    .addOption(fleetTakeoverOption())
    .addOption(
      new Option('--compatibility <mode>', 'spec.compatibility of the GitRepos that have none')
        .choices(['None', 'Fleet'])
        .default('None')
        .env('FLEETSCAN_COMPATIBILITY'),
    )
    .addOption(
      new Option('--log-level <level>', LOG_LEVELS.join(', ')).default('info').env('FLEETSCAN_LOG_LEVEL'),
    )
    .addOption(
      new Option('--kubeconfig <file>', 'cluster to connect to; inside one, its own is the default'),
    );
  return { ...readConfig(command, schema, argv), environment: process.env };
}
