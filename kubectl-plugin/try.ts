import { choose } from '../core/policy/choose.ts';
import { explain } from '../core/policy/explain.ts';
import { parseImageScan } from '../kube/kinds/image-scan.ts';
import type { PullAccessReader } from '../scan/pull-access.ts';
import { readSelection } from '../scan/task.ts';
import { type Explanation, type ExplanationForm, explanationOf, printExplanation } from './explanation.ts';
import { ScanError, UsageError } from './failure.ts';
import type { PolicyFlags } from './policy-flags.ts';
import { policySpec } from './policy-spec.ts';
import { dockerCredentials } from './docker-config.ts';
import { readTags } from './read-tags.ts';
import type { RegistryFlags } from './registry-flags.ts';
import { askingRegistries } from './registry-session.ts';
import { scanFromHere } from './scan-from-here.ts';

/** The flags of `try`. */
export interface TryFlags extends PolicyFlags, RegistryFlags {
  readonly image?: string;
  readonly tagsFrom?: string;
  /** A Docker configuration with credentials for the image. */
  readonly dockerConfig?: string;
  readonly output?: ExplanationForm;
}

/**
 * Shows what a policy would choose and why, without a cluster: among the tags of a registry, or of a file.
 *
 * @throws {UsageError} when the flags do not go together
 * @throws {PolicyError | ScanError} when the policy cannot be followed, or chooses nothing
 */
export async function tryPolicy(flags: TryFlags): Promise<void> {
  checkUsage(flags);
  const explanation =
    flags.tagsFrom === undefined ? await fromRegistry(flags) : await fromFile(flags, flags.tagsFrom);
  printExplanation(explanation, flags.output);
  if (explanation.chosen === undefined)
    throw new ScanError('Failed', explanation.message ?? 'nothing was chosen');
}

function checkUsage({ image, tagsFrom, newest, digest }: TryFlags): void {
  const wrong =
    (image === undefined && tagsFrom === undefined && 'say which tags: --image or --tags-from') ||
    (image !== undefined && tagsFrom !== undefined && 'use either --image or --tags-from') ||
    (image === undefined && newest && '--newest has to ask the registry: use --image') ||
    (image === undefined && digest !== undefined && '--digest has to ask the registry: use --image');
  if (wrong) throw new UsageError('Usage', wrong);
}

async function fromFile(flags: TryFlags, file: string): Promise<Explanation> {
  const selection = readSelection(policySpec(flags));
  const tags = await readTags(file);
  const choice = choose(selection, tags);
  const candidates = explain(selection, tags);
  if (choice.kind === 'none') return { reason: choice.reason, message: choice.message, candidates };
  const { tag, warning } = choice;
  return { chosen: { tag }, candidates, ...(warning !== undefined && { warning }) };
}

async function fromRegistry(flags: TryFlags): Promise<Explanation> {
  const { image = '' } = flags;
  const spec = { image, ...policySpec(flags) };
  const scan = parseImageScan({ metadata: { name: 'try' }, spec });
  const pullAccess: PullAccessReader = async (_scan, reference) => ({
    credentials: await dockerCredentials(flags.dockerConfig, reference),
    notes: [],
  });
  const result = await askingRegistries(flags, (registry) => scanFromHere(scan, registry, pullAccess));
  return explanationOf(image, result);
}
