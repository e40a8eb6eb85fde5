// Writes one value through git/ and says each step before it is done, so that a test can kill it at any of them.
import { GitError } from '../../git/errors.ts';
import { openRepository, type Repository } from '../../git/repository.ts';
import { AUTHOR, contentOf } from './support.ts';

export interface WriterOptions {
  readonly directory: string;
  readonly url: string;
  readonly value: string;
}

/** Makes file `f` of main hold `value`, as write-back does: nothing when it does already, again when it lost a race. */
export async function writeValue(
  options: WriterOptions,
  onStep: (step: string) => void = () => undefined,
): Promise<void> {
  onStep('open');
  const environment = { PATH: process.env['PATH'] };
  const repository = await openRepository({ ...options, environment });
  for (let attempt = 0; ; attempt++) {
    try {
      await attemptWrite(repository, options.value, onStep);
      return;
    } catch (error) {
      if (!(error instanceof GitError) || error.rejection !== 'Moved' || attempt === 5) throw error;
    }
  }
}

async function attemptWrite(
  repository: Repository,
  value: string,
  onStep: (step: string) => void,
): Promise<void> {
  onStep('remoteHead');
  await repository.remoteHead('main');
  onStep('fetch');
  const parent = await repository.fetch('main');
  onStep('files');
  const [file] = await repository.files(parent, ['f']);
  onStep('read');
  for await (const blob of repository.read([file!.oid])) if (contentOf(blob).toString() === value) return;
  onStep('commit');
  const changes = [{ path: 'f', mode: file!.mode, content: Buffer.from(value) }];
  const commit = await repository.commit({ parent, changes, author: AUTHOR, message: value });
  onStep('push');
  await repository.push(commit, 'main', parent);
}

if (import.meta.main) {
  await writeValue(JSON.parse(process.argv[2] ?? '') as WriterOptions, (step) =>
    process.stdout.write(`${step}\n`),
  );
  process.stdout.write('done\n');
}
