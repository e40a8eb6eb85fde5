/**
 * Tags as a busy repository has them: most are full versions, a fifth are pre-releases, a tenth are no versions at all. The same at each
 * call, and in an order that has nothing to do with age.
 */
export function mixedTags(count: number): string[] {
  const tags = Array.from({ length: count }, (_, index) => tagNumber(index));
  // A step that shares no factor with the count visits each place once.
  return tags.map((_, index) => tags[(index * 7919) % count] ?? '');
}

function tagNumber(index: number): string {
  const version = `${Math.floor(index / 2500)}.${Math.floor(index / 50) % 50}.${index % 50}`;
  if (index % 10 === 3) return `build-${index.toString(16)}`;
  if (index % 5 === 1) return `${version}-rc.${index % 7}`;
  return index % 5 === 2 ? `v${version}` : version;
}
