import { connected } from '../connection.ts';
import type { ConnectionFlags } from '../connection-flags.ts';
import { note, print, toJson, toYaml } from '../output.ts';
import { assess, isOpen } from './assess.ts';
import { gather } from './gather.ts';
import { reportLines, reportObject } from './report.ts';

/** The flags of `fleet check`. */
export interface CheckFlags extends ConnectionFlags {
  readonly output?: 'json' | 'yaml';
}

/**
 * Tells how Fleet and Fleetscan stand to each other in a cluster. The exit code is 1 when something is to be done.
 *
 * @throws {ApiError | KubeconfigError | UsageError}
 */
export async function check(flags: CheckFlags): Promise<void> {
  await connected(flags, async (connection) => {
    const { facts, unread } = await gather(connection);
    const assessment = assess(facts);
    const object = () => reportObject(facts, assessment, unread);
    switch (flags.output) {
      case 'json':
        print([toJson(object())]);
        break;
      case 'yaml':
        print([toYaml(object())]);
        break;
      default:
        print(reportLines(facts, assessment));
    }
    for (const text of unread) note(`not read: ${text}`);
    if (isOpen(assessment)) process.exitCode = 1;
  });
}
