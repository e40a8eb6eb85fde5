import type { Facts, ScanFacts } from './facts.ts';
import type { Finding } from './findings.ts';

/**
 * ImageScans that `fleet apply` made of an older commit than the others of their GitRepo: it labels all that a fleet.yaml
 * defines with the commit, and deletes none that no fleet.yaml defines any more.
 */
export function orphans({ scans = [], gitRepos = [] }: Facts): Finding[] {
  const deployed = new Map(gitRepos.map(({ namespace, name, commit }) => [`${namespace}/${name}`, commit]));
  const groups = Map.groupBy(
    scans.filter(({ appliedFrom }) => appliedFrom !== undefined),
    ({ namespace, appliedFrom }) => `${namespace}/${appliedFrom?.gitRepo}`,
  );
  return [...groups].flatMap(([key, group]) => {
    const current = currentCommit(group, deployed.get(key));
    if (current === undefined) return [];
    return group.filter(({ appliedFrom }) => appliedFrom?.commit !== current).map(orphan);
  });
}

/** The commit that Fleet deployed, once an ImageScan bears it; else the one that most of them bear. */
function currentCommit(group: readonly ScanFacts[], deployed: string | undefined): string | undefined {
  const commits = [...Map.groupBy(group, ({ appliedFrom }) => appliedFrom?.commit)];
  if (deployed !== undefined && commits.some(([commit]) => commit === deployed)) return deployed;
  const [first, second] = commits.toSorted(([, a], [, b]) => b.length - a.length);
  const isMost = first !== undefined && first[1].length > (second?.[1].length ?? 0);
  return isMost ? first[0] : undefined;
}

function orphan({ namespace, name, appliedFrom }: ScanFacts): Finding {
  return {
    type: 'Orphaned',
    object: { kind: 'ImageScan', namespace, name },
    message: `is of another commit (${appliedFrom?.commit.slice(0, 12) || 'none'}) than the others of GitRepo ${appliedFrom?.gitRepo}: most likely no fleet.yaml defines it any more, and Fleet does not delete it`,
    command: `kubectl -n ${namespace} delete imagescans.fleet.cattle.io ${name}`,
  };
}
