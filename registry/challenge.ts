/** One way to authenticate that a server offers, as RFC 9110 §11.6.1 writes it in `WWW-Authenticate`. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By name in lower case; values as they came, as their case and spaces may matter. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The single value that some schemes have in place of parameters. */
  readonly token68?: string;
}

interface OpenChallenge {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
  token68?: string;
}

// Sticky expressions, each read once from where the last one ended: the time is linear in the length of the header.
const SEPARATORS = /[ \t,]*/y;
const SPACE = /[ \t]*/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\[^])*)(?:"|\\?$)/y;
const UNQUOTED = /[^\s,"]*/y;

/**
 * Takes `WWW-Authenticate` apart: several challenges in one header (`Bearer realm="…",Basic realm="…"` as Codeberg sends),
 * several headers, quoted values with escapes. What does not follow the grammar is stepped over, never thrown at.
 */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  if (headers === undefined) return [];
  return [headers].flat().flatMap(parseHeader);
}

function parseHeader(header: string): Challenge[] {
  const scanner = new Scanner(header);
  const challenges: OpenChallenge[] = [];
  for (scanner.take(SEPARATORS); !scanner.atEnd; scanner.take(SEPARATORS)) {
    const word = scanner.take(TOKEN);
    if (word === undefined) {
      scanner.skipCharacter();
    } else if (scanner.take(EQUALS) === undefined) {
      challenges.push(openChallenge(word, scanner));
    } else {
      addParameter(challenges.at(-1), word, scanner);
    }
  }
  return challenges;
}

function openChallenge(word: string, scanner: Scanner): OpenChallenge {
  const challenge: OpenChallenge = { scheme: word.toLowerCase(), parameters: new Map() };
  const token68 = scanner.take(SPACE) === '' ? undefined : scanner.take(TOKEN68);
  if (token68 !== undefined) challenge.token68 = token68;
  return challenge;
}

// Of a parameter that comes twice, which RFC 9110 forbids, the first counts.
function addParameter(challenge: OpenChallenge | undefined, word: string, scanner: Scanner): void {
  const value = scanner.take(QUOTED)?.replaceAll(/\\([^])/g, '$1') ?? scanner.take(UNQUOTED) ?? '';
  const name = word.toLowerCase();
  if (challenge !== undefined && !challenge.parameters.has(name)) challenge.parameters.set(name, value);
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Steps over what `pattern` matches here and returns its first group, or all of it; undefined where it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[1] ?? match[0];
  }

  skipCharacter(): void {
    this.#at += 1;
  }
}
