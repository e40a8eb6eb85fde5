/** How many bytes a text has in UTF-8, which is what Go's `len` counts. */
export function byteLength(text: string): number {
  return encode(text).length;
}

/** The bytes of a text, as Go's `index` sees them. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A part of a text by the places of its bytes, as Go cuts; a character that would be cut in two is left out, since half of one is no Unicode. */
export function sliceBytes(text: string, start: number, end?: number): string {
  const bytes = encode(text);
  let [from, to] = [start, Math.min(end ?? bytes.length, bytes.length)];
  while (from < to && isInside(bytes[from])) from += 1;
  while (to > from && isInside(bytes[to])) to -= 1;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(from, to));
}

function isInside(byte: number | undefined): boolean {
  return byte !== undefined && byte >> 6 === 0b10;
}
