// As git-interpret-trailers(1) knows them: a paragraph of nothing else, that is not the first of the message.
const TRAILER = /^[A-Za-z0-9-]+[ \t]*:/;
const CONTINUATION = /^[ \t]+\S/;

/**
 * Adds a line to the trailers at the end of a message, after a blank line where there are none yet. A line that is there is not added again.
 *
 * @param message ends with one line feed
 */
export function withTrailer(message: string, trailer: string): string {
  const [, ...paragraphs] = message.trimEnd().split(/\n{2,}/);
  const last = paragraphs.at(-1)?.split('\n') ?? [];
  const areTrailers = last.length > 0 && last.every(isTrailerLine);
  if (areTrailers && last.includes(trailer)) return message;
  return `${message}${areTrailers ? '' : '\n'}${trailer}\n`;
}

function isTrailerLine(line: string, index: number): boolean {
  return TRAILER.test(line) || (index > 0 && CONTINUATION.test(line));
}
