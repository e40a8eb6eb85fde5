import { type Column, rowOf, Table } from '../table.ts';
import type { Assessment, Writers } from './assess.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './findings.ts';
import { scanners } from './situation.ts';

const WRITERS: Readonly<Record<Writers, string>> = {
  FleetscanAlone: "Nobody but Fleetscan was seen writing to Fleet's ImageScans and GitRepos.",
  Both: 'Two controllers write: see TwoWriters below.',
  Unknown: "Whether two controllers write is not known: not all of Fleet's objects could be read.",
};

const COLUMNS: readonly Column<Finding>[] = [
  { heading: 'FINDING', cell: ({ type }) => type },
  { heading: 'NAMESPACE', cell: ({ object }) => object?.namespace },
  { heading: 'OBJECT', cell: ({ object }) => object && `${object.kind.toLowerCase()}/${object.name}` },
  { heading: 'MESSAGE', cell: ({ message }) => message },
];

/** The lines that tell a person of an assessment. */
export function reportLines(facts: Facts, assessment: Assessment): string[] {
  const { case: found, mode, situation, happens, writers, nextStep, findings } = assessment;
  const cures = findings.flatMap(({ command }) => command ?? []);
  return [
    ...installed(facts),
    '',
    `Case ${found}, Fleetscan ${mode}:`,
    ...[situation, happens, ...(writers ? [WRITERS[writers]] : [])].map(indented),
    '',
    ...(nextStep
      ? ['Next step:', indented(nextStep.text), '', indented(nextStep.command)]
      : ['Next step: none.']),
    ...(findings.length > 0 ? ['', ...tableOf(findings)] : []),
    ...(cures.length > 0 ? ['', 'Against these:', ...cures.map(indented)] : []),
  ];
}

/** The same for programs. */
export function reportObject(facts: Facts, assessment: Assessment, unread: readonly string[]): object {
  const { controllers, fleetscan } = facts;
  return {
    ...assessment,
    fleet: controllers?.map(({ startedAt, ...rest }) => ({
      ...rest,
      startedAt: new Date(startedAt).toISOString(),
    })),
    ...(typeof fleetscan === 'object' && { fleetscan }),
    notRead: unread,
  };
}

function installed(facts: Facts): string[] {
  const { fleetscan, scans, gitRepos } = facts;
  return [
    `Fleet:      ${fleetText(facts)}`,
    `Fleetscan:  ${fleetscanText(fleetscan)}`,
    `Objects:    ${counted(scans, 'ImageScan')} and ${counted(gitRepos, 'GitRepo')} of Fleet`,
  ];
}

function counted(objects: readonly unknown[] | undefined, kind: string): string {
  if (objects === undefined) return `an unknown number of ${kind}s`;
  return `${objects.length} ${kind}${objects.length === 1 ? '' : 's'}`;
}

function fleetText(facts: Facts): string {
  if (facts.controllers === undefined) return 'its Deployments could not be read';
  const texts = scanners(facts).map(({ namespace, name, version, imageScan }) =>
    [
      `${namespace}/${name}`,
      version === undefined ? 'of an unknown version' : `v${version}`,
      `image scan ${imageScan.toLowerCase()}`,
    ].join(', '),
  );
  return texts.join('; ') || 'no fleet-controller';
}

function fleetscanText(fleetscan: Facts['fleetscan']): string {
  if (fleetscan === undefined) return 'its Deployment could not be read';
  if (fleetscan === 'none') return 'not installed';
  const { namespace, deployment, takeover, compatibility } = fleetscan;
  return `${namespace}/${deployment}, fleet.takeover=${takeover}, fleet.compatibility=${compatibility}`;
}

function tableOf(findings: readonly Finding[]): string[] {
  return new Table(COLUMNS.map(({ heading }) => heading)).lines(
    findings.map((finding) => rowOf(COLUMNS, finding)),
  );
}

function indented(text: string): string {
  return `  ${text}`;
}
