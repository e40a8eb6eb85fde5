import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { listAll } from '../../kube/list.ts';
import type { ObjectPath } from '../../kube/resource.ts';

const stored = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.looseObject({ gitrepoName: z.string().optional(), tagName: z.string().optional() }),
  status: z
    .looseObject({ conditions: z.array(z.looseObject({ type: z.string() })).default([]) })
    .default({ conditions: [] }),
});

/** An ImageScan or a GitRepo as the API server has it. */
export type Stored = z.infer<typeof stored>;

/** All objects of a collection. */
export async function storedObjects(client: KubeClient, path: ObjectPath): Promise<Stored[]> {
  const { items } = await listAll(client, path, { project: (raw) => stored.parse(raw) });
  return items;
}

/** What an object is to say. */
export interface Wanted {
  /** The whole of them. */
  readonly labels?: object;
  readonly annotations?: object;
  readonly spec?: object;
  /** Fields of it. */
  readonly status: object;
  /** Some of them, and fields of each. */
  readonly conditions: readonly object[];
}

/** What is wrong with an object, in a sentence. @returns none when it says all that is wanted */
export function faultsOf(name: string, object: Stored | undefined, wanted: Wanted): string[] {
  if (object === undefined) return [`${name} is not there`];
  const { metadata, spec, status } = object;
  const { conditions, status: fields, ...whole } = wanted;
  const has = { labels: metadata.labels, annotations: metadata.annotations, spec };
  const isRight =
    includes(has, whole) &&
    includes(status, fields) &&
    conditions.every((condition) => status.conditions.some((each) => includes(each, condition)));
  return isRight ? [] : [`${name}: ${JSON.stringify({ ...has, status })} is not ${JSON.stringify(wanted)}`];
}

function includes(object: Readonly<Record<string, unknown>>, wanted: object): boolean {
  return Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(object[key], value));
}
