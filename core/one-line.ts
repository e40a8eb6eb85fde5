/**
 * The text on one line, for a message that quotes what somebody wrote: control, format and line-break characters become a
 * space, and what goes beyond `length` UTF-16 units becomes `…`.
 */
export function oneLine(text: string, length = 100): string {
  // Most texts by far, and admission is in a hurry.
  if (text.length <= length && PRINTABLE_ASCII.test(text)) return text;
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  // Half a surrogate pair, written so or left by the cut, would not be Unicode.
  return (clean.length > length ? `${clean.slice(0, length - 1)}…` : clean).toWellFormed();
}

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
