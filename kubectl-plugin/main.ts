#!/usr/bin/env node
import { createProgram, kubectlArguments } from './commands.ts';

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads our output may have enough of it, as `head` does: that is no failure.
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`error: the output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
}

const program = createProgram();
const args = process.argv.length > 2 ? process.argv.slice(2) : ['--help'];
try {
  await program.parseAsync(kubectlArguments(program, args), { from: 'user' });
} catch (error) {
  const { report } = await import('./failure.ts');
  report(error);
}
