import { parseArgs } from 'node:util';
import { admission } from './admission.ts';
import { podCreation } from './pod-creation.ts';
import type { Row } from './row.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

const row = await admission();
const rows: Row[] = [{ ...row, details: { ...row.details, ...(await podCreation()) } }];

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
    console.log(`${name}: ${ratio.toFixed(2)} (${target}): ${met ? 'met' : 'MISSED'}`);
    for (const [what, value] of Object.entries(details))
      console.log(`    ${what.padEnd(42)} ${value.toFixed(2)}`);
  }
}
process.exit(rows.every(({ met }) => met) ? 0 : 1);
