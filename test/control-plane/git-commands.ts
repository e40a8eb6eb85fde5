import { mustRun, type RunResult } from './run.ts';

/** An environment in which git reads no configuration of the user or the machine, and asks no questions. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  // Set when the tests are run from a git hook; they would point every git here at that repository.
  const inherited = Object.keys(process.env).filter((name) => name.startsWith('GIT_'));
  return {
    ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  };
}

/** Runs git; throws what it said when it fails. */
export async function git(
  args: readonly string[],
  options: { cwd?: string; stdin?: string } = {},
): Promise<RunResult> {
  return mustRun('git', args, { ...options, env: gitEnvironment() });
}

export interface CommitOptions {
  readonly branch: string;
  readonly message: string;
  readonly author: string;
  /** Whether the branch is there already, to go on from. */
  readonly onTop: boolean;
}

/**
 * Commits files to a branch of a bare repository, without a work tree. `null` deletes a file.
 *
 * @returns the commit's id
 */
export async function commitFiles(
  directory: string,
  files: Readonly<Record<string, string | null>>,
  { branch, message, author, onTop }: CommitOptions,
): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const stream = [
    `commit ${ref}`,
    `committer ${author} now`,
    data(message),
    ...(onTop ? [`from ${ref}^0`] : []),
    ...Object.entries(files).map(([path, content]) => change(path, content)),
    '',
  ];
  await git(['fast-import', '--quiet', '--date-format=now'], { cwd: directory, stdin: stream.join('\n') });
  return (await git(['rev-parse', ref], { cwd: directory })).stdout.trim();
}

function change(path: string, content: string | null): string {
  // git reads a path in quotes as a C string; JSON's escapes of quote, backslash and newline are the same.
  const quoted = JSON.stringify(path);
  return content === null ? `D ${quoted}` : `M 100644 inline ${quoted}\n${data(content)}`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}
