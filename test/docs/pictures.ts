import { writeFileSync } from 'node:fs';
import { fleetPicture } from './fleet-picture.ts';
import { writeBackPicture } from './write-back-picture.ts';

// Draws the pictures of docs/ that are made by a program: `npm run pictures`.
writeFileSync(new URL('../../docs/write-back.svg', import.meta.url), writeBackPicture());
writeFileSync(new URL('../../docs/fleet.svg', import.meta.url), fleetPicture());
