import { isYamlFile, selectEntries } from '../../core/paths.ts';

/** The YAML files among those that a GitRepo's `paths` name, by their paths. @throws {PathError} */
export function selectPaths(paths: readonly string[] | undefined, files: readonly string[]): string[] {
  return selectEntries(
    paths ?? [],
    files.map((path) => ({ path })),
  )
    .map(({ path }) => path)
    .filter(isYamlFile);
}
