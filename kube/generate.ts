// Writes the files that are made from the schemas of our kinds: `npm run generate`.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crdFiles } from './kinds/crd.ts';

const manifests = path.join(import.meta.dirname, '..', 'manifests');

for (const { fileName, manifest, chartTemplate } of crdFiles()) {
  await write(path.join(manifests, 'crds', fileName), manifest);
  await write(path.join(manifests, 'chart', 'templates', 'crds', fileName), chartTemplate);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(path.relative(process.cwd(), file));
}
