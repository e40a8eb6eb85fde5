import { parseArgs } from 'node:util';
import { admission } from './admission.ts';
import { idleScan } from './idle-scan.ts';
import { manyScans } from './many-scans.ts';
import type { Row } from './row.ts';
import { tagChoice } from './tag-choice.ts';
import { writeBackEngine } from './write-back-engine.ts';
import { writeBackPath } from './write-back-path.ts';

const SUBJECTS: Readonly<Record<string, () => Promise<Row[]>>> = {
  admission,
  'tag-choice': tagChoice,
  'idle-scan': idleScan,
  'many-scans': manyScans,
  'write-back-engine': writeBackEngine,
  'write-back-path': writeBackPath,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !Object.hasOwn(SUBJECTS, name));
if (unknown.length > 0) {
  console.error(`no such subject: ${unknown.join(', ')}; there are ${Object.keys(SUBJECTS).join(', ')}`);
  process.exit(2);
}

const rows: Row[] = [];
for (const [name, measure] of Object.entries(SUBJECTS)) {
  // One after the other: each has the machine for itself.
  if (positionals.length === 0 || positionals.includes(name)) rows.push(...(await measure()));
}

if (values.json) {
  console.log(
    JSON.stringify(
      Object.fromEntries(
        rows.map(({ name, ratio, met, target, details }) => [name, { ratio, met, target, ...details }]),
      ),
    ),
  );
} else {
  for (const { name, ratio, target, met, details } of rows) {
    console.log(`${name}: ${ratio.toPrecision(3)} (${target}): ${met ? 'met' : 'MISSED'}`);
    for (const [what, value] of Object.entries(details))
      console.log(`    ${what.padEnd(42)} ${value.toFixed(2)}`);
  }
}
process.exit(rows.every(({ met }) => met) ? 0 : 1);
