#!/usr/bin/env node
import { createProgram, kubectlArguments } from './commands.ts';

// Who reads our output may have enough of it, as `head` does: that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
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
