import { type Command, Option } from 'commander';
import { collect } from './registry-flags.ts';

/** A policy on the command line: the fields of an ImageScan's spec. */
export interface PolicyFlags {
  readonly semver?: string;
  readonly versions?: 'Lenient' | 'Strict';
  readonly alphabetical?: 'asc' | 'desc';
  readonly numerical?: 'asc' | 'desc';
  readonly newest?: boolean;
  readonly digest?: string;
  readonly filter?: string;
  readonly extract?: string;
  readonly exclude?: readonly string[];
}

/** Declares {@link PolicyFlags}. */
export function addPolicyFlags(command: Command): Command {
  const order = (flag: string, description: string): Option =>
    new Option(`${flag} <order>`, description).choices(['asc', 'desc']);
  return command
    .option('--semver <range>', 'the highest version in a range, such as "^1.2"; "*" when no policy is named')
    .addOption(
      new Option('--versions <reading>', 'with --semver: what counts as a version').choices([
        'Lenient',
        'Strict',
      ]),
    )
    .addOption(order('--alphabetical', 'the greatest tag in byte order (desc), or the smallest'))
    .addOption(order('--numerical', 'the greatest number (asc), or the smallest'))
    .option('--newest', 'the image created last')
    .option('--digest <tag>', 'the digest of one tag')
    .option('--filter <pattern>', 'regular expression in Go syntax: other tags are not considered')
    .option('--extract <replacement>', 'with --filter: what the policy reads of a tag, such as "$version"')
    .option<string[] | undefined>(
      '--exclude <pattern>',
      'regular expression of tags never to choose; may be repeated',
      collect,
    );
}
