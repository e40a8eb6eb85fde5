import type { ImageScan } from '../../kube/kinds/image-scan.ts';
import { DEFINED_BY_LABEL } from '../../kube/kinds/defined.ts';
import type { Work } from './apply.ts';

/** Names in one command: a shell takes more, a person does not. */
const NAMES_AT_ONCE = 50;

/** What a person can do after these objects were applied: of Fleet's, what can be deleted now. */
export function nextSteps(done: readonly Work[]): string[] {
  const scans = done.filter(({ source }) => source.kind === 'ImageScan');
  if (scans.length === 0) return [];
  return [
    '',
    'Next steps:',
    ...(done.some(({ source }) => source.kind === 'GitRepo')
      ? ['  Keep the GitRepos of Fleet: they deploy. Deleting one deletes what it deployed.', '']
      : []),
    ...(scans.some(isMadeByApply) ? [...BEFORE_DELETION.map((line) => `  ${line}`), ''] : []),
    '  These ImageScans of Fleet have one of Fleetscan in their place and can be deleted:',
    '',
    ...deletions(scans).map((command) => `    ${command}`),
  ];
}

const BEFORE_DELETION = [
  'fleet apply makes ImageScans anew for as long as a fleet.yaml has imageScans and the image scan of Fleet is on. To end that,',
  'move imageScans of each fleet.yaml into a file fleetscan.yaml beside it, and name that in a .fleetignore where Fleet would deploy it,',
  'as in a folder of plain manifests; then set imagescan.enabled=false for Fleet.',
];

function isMadeByApply(work: Work): boolean {
  const metadata: Partial<ImageScan['metadata']> | undefined =
    work.kind === 'carry' ? work.scan.metadata : work.object.metadata;
  return metadata?.labels?.[DEFINED_BY_LABEL] !== undefined;
}

function deletions(scans: readonly Work[]): string[] {
  const byNamespace = Map.groupBy(scans, ({ source }) => source.namespace);
  return [...byNamespace].flatMap(([namespace, items]) => {
    const names = items.map(({ source }) => source.name);
    const parts = Array.from({ length: Math.ceil(names.length / NAMES_AT_ONCE) }, (_, index) =>
      names.slice(index * NAMES_AT_ONCE, (index + 1) * NAMES_AT_ONCE),
    );
    return parts.map((part) => `kubectl -n ${namespace} delete imagescans.fleet.cattle.io ${part.join(' ')}`);
  });
}
