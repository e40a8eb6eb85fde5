import type { ImageScanSpec } from '../../kube/kinds/image-scan.ts';
import type { FleetScan } from '../../write-back/fleet-yaml.ts';
import { byPlace, type Defined, type Definition, type Mistake, placeText } from './definition.ts';
import { type DefinitionFile, unreadMistake } from './files.ts';
import { withoutNulls } from './spec.ts';

/** Definitions of one GitRepo. Each is an ImageScan that asks its registry, so no mistake in a repository makes a million. */
export const MAX_DEFINITIONS = 1000;

/**
 * What files define together: of two definitions with one tagName the first counts, in the order of the files' paths, and of too many the
 * first {@link MAX_DEFINITIONS}.
 */
export function definedBy(files: readonly DefinitionFile[]): Defined {
  const accepted = new Map<string, Definition>();
  const mistakes: Mistake[] = [];
  for (const { path: file, content } of files) {
    if (content.kind === 'unread') continue;
    mistakes.push(...content.problems.map((problem) => ({ file, ...problem })));
    for (const scan of content.scans) {
      const { line, tagName } = scan;
      const earlier = accepted.get(tagName);
      if (earlier !== undefined) mistakes.push({ file, line, tagName, message: repeated(earlier) });
      else if (accepted.size >= MAX_DEFINITIONS) mistakes.push({ file, line, tagName, message: TOO_MANY });
      else accepted.set(tagName, { file, line, tagName, spec: specOf(scan) });
    }
  }
  return {
    definitions: [...accepted.values()],
    mistakes: mistakes.toSorted(byPlace),
    unread: files.flatMap(unreadMistake),
    files: new Set(files.map(({ path }) => path)),
  };
}

const TOO_MANY = `a GitRepo defines ${MAX_DEFINITIONS} scans at most, and those before this one are as many; spread them over several GitRepos`;

function repeated(earlier: Definition): string {
  return `its tagName is taken by ${placeText(earlier)}, and no marker could tell the two apart`;
}

function specOf({ spec }: FleetScan): ImageScanSpec {
  return { ...withoutNulls(spec), image: spec.image };
}
