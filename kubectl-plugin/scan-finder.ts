import { z } from 'zod';
import { FLEET_GROUP, type Group, objectKey, type ObjectName, OWN_GROUP } from '../core/group.ts';
import { ApiError } from '../kube/errors.ts';
import { FLEET_API_VERSION } from '../kube/kinds/common.ts';
import type { ImageScan } from '../kube/kinds/image-scan.ts';
import { IMAGE_SCAN_KINDS } from '../kube/kinds/served.ts';
import type { Connection } from './connection.ts';
import { isKindAbsent, LookupError } from './failure.ts';
import { isWithheld, list, ofBothGroups } from './listing.ts';
import { resourceName, type ScanRef } from './names.ts';
import { someAtOnce } from './some-at-once.ts';

/** An ImageScan as the server has it. */
export interface FoundScan extends ObjectName {
  readonly raw: unknown;
}

/**
 * Reads what was found as an ImageScan.
 *
 * @throws {InvalidObjectError}
 */
export function parseFound({ group, raw }: FoundScan): ImageScan {
  return IMAGE_SCAN_KINDS[group].parse(raw);
}

interface TagNamed extends ObjectName {
  readonly tagName: string;
}

const tagNamed = z.object({
  metadata: z.object({ namespace: z.string(), name: z.string() }),
  spec: z.object({ tagName: z.string().min(1) }),
});

/**
 * Finds the ImageScans that a user names in the namespace of the connection: ours of that name, else Fleet's of that name, else the
 * only one of either group with that tagName. With a group in front it is the one of that group and name, as with kubectl.
 */
export class ScanFinder {
  readonly #connection: Connection;
  #tagNamed: Promise<readonly TagNamed[]> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * @throws {ApiError | LookupError} an AggregateError of the refusals of both groups where both have the kind
   */
  async find({ group, name }: ScanRef): Promise<FoundScan> {
    if (group !== undefined) return this.#inGroup(group, name);
    const ours = await this.#look(OWN_GROUP, name);
    if (!(ours instanceof ApiError)) return ours;
    const fleets = await this.#look(FLEET_GROUP, name);
    if (!(fleets instanceof ApiError)) return fleets;
    const tagged = await this.#byTagName(name);
    if (tagged !== undefined) return this.#get(tagged.group, tagged.name);
    if (await this.#isFleetAbsent(fleets)) throw ours;
    throw new AggregateError([ours, fleets], `there is no ImageScan ${name}`);
  }

  /** Finds several, each once, in the order in which they were named; one that is not there does not stop the others. */
  async findAll(refs: readonly ScanRef[]): Promise<{ found: FoundScan[]; failures: unknown[] }> {
    const failures: unknown[] = [];
    const results = await someAtOnce(refs, async (ref) => {
      try {
        return [await this.find(ref)];
      } catch (error) {
        failures.push(...(error instanceof AggregateError ? error.errors : [error]));
        return [];
      }
    });
    const byKey = new Map(results.flat().map((scan) => [objectKey(scan), scan]));
    return { found: [...byKey.values()], failures };
  }

  async #inGroup(group: Group, name: string): Promise<FoundScan> {
    try {
      return await this.#get(group, name);
    } catch (error) {
      if (group === FLEET_GROUP && isKindAbsent(error)) throw fleetNotInstalled();
      throw error;
    }
  }

  /** @returns why there is none, as far as another one may be meant */
  async #look(group: Group, name: string): Promise<FoundScan | ApiError> {
    try {
      return await this.#get(group, name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === 'NotFound' || (group === FLEET_GROUP && error.code === 'Forbidden')) return error;
      throw error;
    }
  }

  async #get(group: Group, name: string): Promise<FoundScan> {
    const { client, namespace } = this.#connection;
    const { resource } = IMAGE_SCAN_KINDS[group];
    return { group, namespace, name, raw: await client.get({ resource, namespace, name }) };
  }

  /** @throws {LookupError} when there are several */
  async #byTagName(tagName: string): Promise<TagNamed | undefined> {
    this.#tagNamed ??= this.#listTagNames();
    const found = (await this.#tagNamed).filter((scan) => scan.tagName === tagName);
    if (found.length <= 1) return found[0];
    const names = found.map(({ group, name }) => resourceName('ImageScan', name, group)).join(', ');
    const { namespace } = this.#connection;
    throw new LookupError(
      'Ambiguous',
      `${tagName} is the tagName of ${found.length} ImageScans in ${namespace}, and the name of none; name one of ${names}`,
    );
  }

  /** Who may not list them has to name them. */
  async #listTagNames(): Promise<TagNamed[]> {
    const { client, namespace } = this.#connection;
    const listGroup = (group: Group): Promise<TagNamed[]> =>
      list(client, { group, resource: IMAGE_SCAN_KINDS[group].resource }, { namespace }, (raw) => {
        const { success, data } = tagNamed.safeParse(raw);
        return success ? { group, ...data.metadata, ...data.spec } : undefined;
      });
    try {
      return await ofBothGroups(listGroup);
    } catch (error) {
      if (isWithheld(error)) return [];
      throw error;
    }
  }

  /** The server refuses who may see nothing of a group whether it has the group or not; which groups it has, anybody may ask. */
  async #isFleetAbsent(refusal: ApiError): Promise<boolean> {
    if (refusal.code !== 'Forbidden') return isKindAbsent(refusal);
    const { status } = await this.#connection.client.raw('GET', `/apis/${FLEET_API_VERSION}`);
    return status === 404;
  }
}

function fleetNotInstalled(): LookupError {
  return new LookupError(
    'FleetNotInstalled',
    `the server does not have the ImageScans of ${FLEET_API_VERSION}; is Rancher Fleet installed in this cluster?`,
  );
}
