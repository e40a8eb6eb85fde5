import type { ImageScanSpec } from '../kube/kinds/image-scan.ts';
import { UsageError } from './failure.ts';
import type { PolicyFlags } from './policy-flags.ts';

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
