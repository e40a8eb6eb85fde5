import { fileURLToPath } from 'node:url';
import { CodedError } from '../../core/errors.ts';
import { ProcessError, type RunningProcess, startProcess } from './processes.ts';
import { elapsed, type Progress } from './progress.ts';
import { type BinaryName, PROGRAMS, type Project, VERSIONS, versionOf } from './versions.ts';

/** There is no Go on this machine (`NoGo`), or it could not build the program (`BuildFailed`). */
export type GoBuildErrorCode = 'NoGo' | 'BuildFailed';
export class GoBuildError extends CodedError<GoBuildErrorCode> {}

export interface GoBuild {
  readonly name: BinaryName;
  /** The file to write. */
  readonly output: string;
  readonly progress: Progress;
  /** Which of how many builds this is, for the person who waits: `2 of 6`. */
  readonly position: string;
  /** The `go` to run; by default the one in the PATH. */
  readonly go?: string;
}

const MODULES = fileURLToPath(new URL('modules', import.meta.url));
const ERROR_LINES = 20;

/**
 * Builds a program from its Go module. An interrupted build goes on where it was, since Go keeps each package it compiled.
 *
 * @throws {GoBuildError}
 */
export async function goBuild({ name, output, progress, position, go = 'go' }: GoBuild): Promise<void> {
  const begun = performance.now();
  const count = { compiled: 0, downloaded: 0 };
  const running = startGo(
    go,
    buildArguments(name, output),
    `${MODULES}/${PROGRAMS[name].project}`,
    (line) => {
      if (line.startsWith('go: downloading ')) count.downloaded += 1;
      else count.compiled += 1;
    },
  );
  const title = `building ${name} ${versionOf(name)} with Go (${position})`;
  progress.line(title);
  const timer = setInterval(() => {
    const modules = count.downloaded === 0 ? '' : `, ${count.downloaded} modules downloaded`;
    progress.update(`${title}: ${elapsed(begun)}, ${count.compiled} packages compiled${modules}`);
  }, 1000);
  const status = await running.exited;
  clearInterval(timer);
  if (status === 0) return progress.line(`built ${name} ${versionOf(name)} in ${elapsed(begun)}`);
  const said = running.output().split('\n').slice(-ERROR_LINES).join('\n');
  throw new GoBuildError('BuildFailed', `go build of ${name} ended with ${status}:\n${said}`);
}

/** `-v` names each package as it is compiled: what the progress counts. */
function buildArguments(name: BinaryName, output: string): string[] {
  const { project, goPackage } = PROGRAMS[name];
  const flags = `-s -w ${VERSION_FLAGS[project](VERSIONS[project])}`.trim();
  return [
    'build',
    '-v',
    '-trimpath',
    '-buildvcs=false',
    '-mod=readonly',
    '-ldflags',
    flags,
    '-o',
    output,
    goPackage,
  ];
}

/** What a project's own build sets at link time, as far as its programs show or check it. */
const VERSION_FLAGS: Readonly<Record<Project, (version: string) => string>> = {
  kubernetes: (version) => {
    const [major, minor] = version.slice(1).split('.');
    const [base, client] = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
    return [
      `-X ${base}.gitVersion=${version} -X ${base}.gitMajor=${major} -X ${base}.gitMinor=${minor}`,
      `-X ${client}.gitVersion=${version}`,
    ].join(' ');
  },
  etcd: () => '',
  registry: (version) => `-X github.com/distribution/distribution/v3/version.version=${version}`,
  helm: (version) => `-X helm.sh/helm/v3/internal/version.version=${version}`,
  gitea: (version) => `-X main.Version=${version.slice(1)}`,
  fleet: (version) => `-X github.com/rancher/fleet/pkg/version.Version=${version}`,
};

function startGo(
  command: string,
  args: string[],
  cwd: string,
  onLine: (line: string) => void,
): RunningProcess {
  try {
    // A go.work file above the checkout would take the place of our modules.
    return startProcess({
      name: 'go build',
      command,
      args,
      cwd,
      onLine,
      env: { CGO_ENABLED: '0', GOWORK: 'off' },
    });
  } catch (cause) {
    if (!(cause instanceof ProcessError)) throw cause;
    throw new GoBuildError('NoGo', `there is no ${command} on this machine`, { cause });
  }
}
