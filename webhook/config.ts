import { Command, Option } from 'commander';
import { z } from 'zod';
import { address, milliseconds, name, readConfig } from '../program/config.ts';
import { FLEET_TAKEOVERS } from '../program/fleet-takeover.ts';
import { fleetTakeoverOption } from '../program/fleet-takeover-option.ts';
import { LOG_LEVELS } from '../program/log.ts';

const schema = z.object({
  listen: address,
  healthListen: address,
  namespace: name,
  certSecret: name,
  drain: milliseconds,
  fleetTakeover: z.enum(FLEET_TAKEOVERS),
  logLevel: z.enum(LOG_LEVELS),
  kubeconfig: z.string().optional(),
});
export type Config = z.output<typeof schema>;

/**
 * The webhook's configuration, from its flags and environment.
 *
 * @throws {ConfigError} naming everything that is wrong
 */
export function readWebhookConfig(argv: readonly string[]): Config {
  const command = new Command('webhook')
    .description(
      'Answers admission reviews of pods from memory: gives marked images the value that their scan has in force.',
    )
    .addOption(
      new Option('--listen <address>', 'where the API server calls, HTTPS')
        .default(':9443')
        .env('FLEETSCAN_WEBHOOK_LISTEN'),
    )
    .addOption(
      new Option('--health-listen <address>', 'probes and metrics, HTTP')
        .default(':8080')
        .env('FLEETSCAN_WEBHOOK_HEALTH_LISTEN'),
    )
    .addOption(
      new Option('--namespace <name>', 'namespace that the certificate Secret is in').env('POD_NAMESPACE'),
    )
    .addOption(
      new Option('--cert-secret <name>', 'Secret with the serving certificate').default(
        'fleetscan-webhook-cert',
      ),
    )
    .addOption(
      new Option('--drain <duration>', 'how long requests are still served after SIGTERM')
        .default('15s')
        .env('FLEETSCAN_DRAIN'),
    )
    .addOption(fleetTakeoverOption())
    .addOption(
      new Option('--log-level <level>', LOG_LEVELS.join(', ')).default('info').env('FLEETSCAN_LOG_LEVEL'),
    )
    .addOption(
      new Option('--kubeconfig <file>', 'cluster to connect to; inside one, its own is the default'),
    );
  return readConfig(command, schema, argv);
}
