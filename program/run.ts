import { CodedError } from '../core/errors.ts';

/**
 * Runs a program to its end. A mistake of the user's is told in plain words on standard error, anything else with its
 * stack; both end the process with code 1.
 */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const isExpected = error instanceof CodedError;
    process.stderr.write(
      `${isExpected ? error.message : (error instanceof Error && error.stack) || String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
