import { binaries } from './binaries.ts';
import { sshdProgram } from './sshd-program.ts';
import { type BinaryName, PROGRAMS } from './versions.ts';

/** Gets all programs of the bench ahead of time, so that the first test does not wait for them in silence. */
await binaries(Object.keys(PROGRAMS) as BinaryName[]);
await sshdProgram();
