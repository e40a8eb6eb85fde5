import { z } from 'zod';
import type { KubeClient } from '../kube/client.ts';
import { parseGitRepo } from '../kube/kinds/git-repo.ts';
import { parseImageScan } from '../kube/kinds/image-scan.ts';
import { listAll, understood } from '../kube/list.ts';
import { GIT_REPOS, IMAGE_SCANS, type ObjectPath, type Resource } from '../kube/resource.ts';
import { report } from './failure.ts';
import { gitRepoColumns, scanColumns, type View } from './status-table.ts';
import { type Column, Table } from './table.ts';

const schema = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), resourceVersion: z.string() }),
});

/** An object of one of our kinds with all the fields that the server has, also those that this version does not know. */
export type ServerObject = z.infer<typeof schema>;

/** Reads what the server sent. @throws {ApiError} when it is no object of a namespace */
export function serverObject(raw: unknown): ServerObject {
  return understood(schema, raw, 'object');
}

/** Lists a collection. @throws {ApiError} */
export async function listObjects(client: KubeClient, path: ObjectPath): Promise<ServerObject[]> {
  const { items } = await listAll(client, path, { project: serverObject });
  return items;
}

/** One of our kinds, and how it is shown. */
export interface Kind {
  readonly kind: 'ImageScan' | 'GitRepo';
  readonly resource: Resource;
  /** Begins a table. An object that is not of the kind's form is reported; the others are shown. */
  readonly table: (view: View) => (objects: readonly ServerObject[]) => string[];
}

export const IMAGE_SCAN: Kind = {
  kind: 'ImageScan',
  resource: IMAGE_SCANS,
  table: (view) => tableOf(scanColumns(view), parseImageScan),
};
export const GIT_REPO: Kind = {
  kind: 'GitRepo',
  resource: GIT_REPOS,
  table: (view) => tableOf(gitRepoColumns(view), parseGitRepo),
};

function tableOf<T>(
  columns: readonly Column<T>[],
  parse: (raw: unknown) => T,
): (objects: readonly ServerObject[]) => string[] {
  const table = new Table(columns);
  return (objects) => table.lines(objects.flatMap((object) => parsed(object, parse)));
}

function parsed<T>(object: ServerObject, parse: (raw: unknown) => T): T[] {
  try {
    return [parse(object)];
  } catch (error) {
    report(error);
    return [];
  }
}
