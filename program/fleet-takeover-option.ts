import { Option } from 'commander';
import { FLEET_TAKEOVERS } from './fleet-takeover.ts';

/** The flag of both programs. */
export function fleetTakeoverOption(): Option {
  return new Option('--fleet-takeover <mode>', "what to do with Rancher Fleet's ImageScans and GitRepos")
    .choices(FLEET_TAKEOVERS)
    .default('off')
    .env('FLEETSCAN_FLEET_TAKEOVER');
}
