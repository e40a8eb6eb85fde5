/** Shows a person what goes on. */
export interface Progress {
  /** Something that happened: a line that stays. */
  line(text: string): void;
  /** The state of what is going on; the next one takes its place. */
  update(text: string): void;
}

const QUIET_MS = 10_000;

/** Progress that nobody wants to see. */
export const silent: Progress = { line: () => {}, update: () => {} };

/** Progress on a stream (standard error by default): one line redrawn on a terminal, else a line every ten seconds. */
export function streamProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? redrawn(stream) : sparse(stream);
}

function redrawn(stream: NodeJS.WriteStream): Progress {
  return {
    line: (text) => void stream.write(`\r\u001B[K${text}\n`),
    update: (text) => void stream.write(`\r\u001B[K${text.slice(0, (stream.columns || 80) - 1)}`),
  };
}

function sparse(stream: NodeJS.WriteStream): Progress {
  let shown = 0;
  const line = (text: string) => {
    shown = performance.now();
    stream.write(`${text}\n`);
  };
  const update = (text: string) => {
    if (performance.now() - shown >= QUIET_MS) line(text);
  };
  return { line, update };
}

/** `45.2 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `1m05s`, `12s`. */
export function elapsed(sinceMs: number): string {
  const seconds = Math.round((performance.now() - sinceMs) / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
}
