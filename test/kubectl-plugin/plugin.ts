import { buildBundle } from '../../build.ts';
import { startProcess, type RunningProcess, temporaryFolder } from '../control-plane/processes.ts';
import { type RunOptions, type RunResult, run } from '../control-plane/run.ts';

/** The plugin as users have it: a bundle in a folder of its own. */
export interface Plugin {
  readonly folder: string;
  readonly file: string;
  /** Runs it to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts it; its output comes line by line. */
  start(args: readonly string[], onLine?: (line: string) => void): RunningProcess;
}

/** Builds it into a temporary folder. It finds no kubeconfig but one that it is told of. */
export async function buildPlugin(): Promise<Plugin> {
  const folder = temporaryFolder('plugin');
  await buildBundle('kubectl-fleetscan', folder);
  const file = `${folder}/kubectl-fleetscan`;
  const env = { KUBECONFIG: '/dev/null' };
  return {
    folder,
    file,
    run: (args, options) =>
      run(process.execPath, [file, ...args], { ...options, env: { ...env, ...options?.env } }),
    start: (args, onLine) =>
      startProcess({
        name: 'kubectl-fleetscan',
        command: process.execPath,
        args: [file, ...args],
        env,
        ...(onLine && { onLine }),
      }),
  };
}
