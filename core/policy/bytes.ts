/** The order of two texts by their UTF-8 bytes, which is that of their code points and not of their UTF-16 units. */
export function compareBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left !== right) return placeOf(left) - placeOf(right);
  }
  return a.length - b.length;
}

/**
 * Where a UTF-16 unit stands in the order of code points: surrogates, which write those above U+FFFF, behind all others. By units alone,
 * so that a surrogate without its other half, which JSON can bring, has one place as well.
 */
function placeOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
