import { writeFileSync } from 'node:fs';
import { writeBackPicture } from './write-back-picture.ts';

// Draws the pictures of docs/ that are made from real output: `npm run pictures`.
writeFileSync(new URL('../../docs/write-back.svg', import.meta.url), writeBackPicture());
