import type { FleetTakeover } from '../../program/fleet-takeover.ts';

/** Who does something to the objects and to Git; drawn as an arrow in its colour. */
type Actor = 'fleet' | 'fleetscan';

interface Mode {
  readonly takeover: FleetTakeover;
  readonly when: string;
  /** What each of the two does, a line each. */
  readonly does: Readonly<Record<Actor, readonly string[]>>;
  /** Who scans for the ImageScans and writes back. */
  readonly writer: Actor;
  /** Who makes the ImageScans of fleet.yaml in the cluster, when somebody but a person does. */
  readonly maker?: Actor;
  readonly label?: string;
}

const MODES: readonly Mode[] = [
  {
    takeover: 'off',
    when: 'as if Fleetscan were not there',
    does: {
      fleet: ['makes ImageScans', 'scans, commits', 'deploys'],
      fleetscan: ['serves its own', 'objects alone'],
    },
    writer: 'fleet',
    maker: 'fleet',
  },
  {
    takeover: 'serve',
    when: 'for a Fleet whose image scan is off',
    does: { fleet: ['deploys'], fleetscan: ['scans', 'commits'] },
    writer: 'fleetscan',
  },
  {
    takeover: 'take-over',
    when: 'for a Fleet whose image scan is on',
    does: { fleet: ['makes ImageScans', 'deploys'], fleetscan: ['labels', 'scans', 'commits'] },
    writer: 'fleetscan',
    maker: 'fleet',
    label: 'shard-ref: fleetscan',
  },
];

const WIDTH = 330;
const HEIGHT = 346;
const STYLE = `
  .sheet { fill: #ffffff } .panel { fill: #f6f8fa; stroke: #d0d7de }
  .box { fill: #ffffff; stroke: #57606a; stroke-width: 1.4 }
  .name { font-weight: 600; fill: #1f2328 } .note { fill: #57606a; font-size: 12px }
  .title { font-family: ui-monospace, Menlo, Consolas, monospace; font-weight: 600; fill: #1f2328 }
  .fleet { stroke: #bc4c00 } .fleetscan { stroke: #0969da }
  text.fleet { fill: #bc4c00; stroke: none; font-size: 12px } text.fleetscan { fill: #0969da; stroke: none; font-size: 12px }
  path { fill: none; stroke-width: 2 } path.makes { stroke-dasharray: 4 3 }
  marker path.fleet { fill: #bc4c00; stroke: none } marker path.fleetscan { fill: #0969da; stroke: none }
  @media (prefers-color-scheme: dark) {
    .sheet { fill: #0d1117 } .panel { fill: #151b23; stroke: #3d444d }
    .box { fill: #0d1117; stroke: #9198a1 }
    .name, .title { fill: #f0f6fc } .note { fill: #9198a1 }
    .fleet { stroke: #f0883e } .fleetscan { stroke: #58a6ff }
    text.fleet, marker path.fleet { fill: #f0883e } text.fleetscan, marker path.fleetscan { fill: #58a6ff }
  }`;

/** A picture, as SVG for a light and a dark page: who scans and who writes in each mode of `fleet.takeover`. */
export function fleetPicture(): string {
  const width = WIDTH * MODES.length + 10;
  const panels = MODES.map((mode, index) => panel(mode, index * WIDTH + 10)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT + 20}" width="${width}" height="${HEIGHT + 20}" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" font-size="14" role="img">
<title>Who scans and who writes to Git with fleet.takeover off, serve and take-over</title>
<style>${STYLE}
</style>
<defs>
${arrowHead('fleet')}
${arrowHead('fleetscan')}
</defs>
<rect class="sheet" width="100%" height="100%"/>
${panels}
</svg>
`;
}

function arrowHead(actor: Actor): string {
  return `<marker id="${actor}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path class="${actor}" d="M0 0 8 4 0 8z"/></marker>`;
}

function panel({ takeover, when, does, writer, maker, label }: Mode, left: number): string {
  return [
    `<g transform="translate(${left} 10)">`,
    `<rect class="panel" width="${WIDTH - 10}" height="${HEIGHT}" rx="9"/>`,
    text('title', 16, 30, `fleet.takeover=${takeover}`, 'start'),
    text('note', 16, 50, when, 'start'),
    box('Fleet', does.fleet, { x: 16, y: 64, width: 138, height: 84 }, 'fleet'),
    box('Fleetscan', does.fleetscan, { x: 166, y: 64, width: 138, height: 84 }, 'fleetscan'),
    box(
      'ImageScan, GitRepo',
      ['of fleet.cattle.io', ...(label === undefined ? [] : [label])],
      { x: 76, y: 196, width: 168, height: 66 },
      'box',
    ),
    box('Git repository', ['markers as they are'], { x: 76, y: 288, width: 168, height: 48 }, 'box'),
    ...(maker === undefined
      ? []
      : [arrow(maker, 'M92 148 V194', 'makes'), text(maker, 86, 176, 'spec', 'end')]),
    ...written(writer),
    '</g>',
  ].join('\n');
}

/** The arrows of the one who scans: to the objects, and around them to Git. */
function written(writer: Actor): string[] {
  const [side, scan] = writer === 'fleet' ? [30, 116] : [290, 216];
  const end = writer === 'fleet' ? 74 : 246;
  return [
    arrow(writer, `M${scan} 148 V194`),
    text(writer, scan + 8, 176, 'status', 'start'),
    arrow(writer, `M${side} 148 V312 H${end}`),
    text(writer, side + (writer === 'fleet' ? 8 : -8), 280, 'commit', writer === 'fleet' ? 'start' : 'end'),
  ];
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function box(name: string, notes: readonly string[], { x, y, width, height }: Frame, kind: string): string {
  const middle = x + width / 2;
  return [
    `<rect class="box ${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="7"/>`,
    text('name', middle, y + 21, name, 'middle'),
    ...notes.map((note, index) => text('note', middle, y + 38 + 16 * index, note, 'middle')),
  ].join('\n');
}

function arrow(actor: Actor, path: string, more = ''): string {
  return `<path class="${`${actor} ${more}`.trim()}" d="${path}" marker-end="url(#${actor})"/>`;
}

function text(
  kind: string,
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
): string {
  return `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}
