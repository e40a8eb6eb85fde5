import { type Command, Option } from 'commander';
import type { ImageScanSpec } from '../kube/kinds/image-scan.ts';
import { UsageError } from './failure.ts';
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

/**
 * The part of an ImageScan's spec that the flags stand for.
 *
 * @throws {UsageError} when they name more than one policy, or a flag misses the one it belongs to
 */
export function policySpec(flags: PolicyFlags): Pick<ImageScanSpec, 'policy' | 'filterTags' | 'exclude'> {
  const { semver, versions, alphabetical, numerical, newest, digest, filter, extract, exclude } = flags;
  const policies = [
    (semver !== undefined || versions !== undefined) && {
      semver: { range: semver ?? '*', ...(versions && { versions }) },
    },
    alphabetical !== undefined && { alphabetical: { order: alphabetical } },
    numerical !== undefined && { numerical: { order: numerical } },
    newest === true && { newest: {} },
    digest !== undefined && { digest: { tag: digest } },
  ].filter((policy) => policy !== false);
  if (policies.length > 1) throw new UsageError('Usage', 'name one policy only');
  if (extract !== undefined && filter === undefined)
    throw new UsageError('Usage', '--extract goes with --filter');
  return {
    ...(policies[0] !== undefined && { policy: policies[0] }),
    ...(filter !== undefined && {
      filterTags: { pattern: filter, ...(extract !== undefined && { extract }) },
    }),
    ...(exclude !== undefined && { exclude: [...exclude] }),
  };
}
