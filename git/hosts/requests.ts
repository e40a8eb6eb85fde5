import { z } from 'zod';
import { oneLine } from '../../core/one-line.ts';
import {
  type Branches,
  HostError,
  type PullRequest,
  type PullRequests,
  type PullRequestText,
  type Written,
} from './host.ts';
import { openFirst } from './paging.ts';

/** A request with what people and we have put on it. */
export interface Standing extends PullRequest {
  readonly labels: readonly string[];
  /** Login names; on Bitbucket, where there are none, its reviewers. */
  readonly assignees: readonly string[];
}

/** Where people look at a request; it goes into status, so it is bounded. */
export const link = z.string().max(2048);

/** What a request says and can be changed in place. */
export type Wording = Pick<PullRequestText, 'title' | 'body'>;

/** What a request can do without. */
export type Extras = Pick<PullRequestText, 'labels' | 'assignees'>;

/** A host's own way to do each step. */
export interface Host<S extends Standing = Standing> {
  /** How many characters it takes. */
  readonly limits: { readonly title: number; readonly body: number };
  /** Takes from a text what the host would do rather than show; absent where it does nothing. */
  readonly harmless?: (text: string) => string;
  /** The requests between two branches of this repository, newest first. */
  list(branches: Branches): AsyncIterable<PullRequest>;
  read(number: number): Promise<S>;
  create(branches: Branches, wording: Wording): Promise<S>;
  edit(standing: S, wording: Wording): Promise<S>;
  /** Adds labels and assignees, of which it has none yet, and tells what it would not take. */
  add(standing: S, extras: Extras): Promise<readonly string[]>;
  comment(number: number, text: string): Promise<void>;
  /** Closes it without merging. */
  decline(standing: S): Promise<void>;
}

// No host allows less than this many characters.
const SHORTEST_CUT = 100;

/** Opens, updates and closes requests by the steps of a host, each only where it changes something. */
export function pullRequestsOf<S extends Standing>(host: Host<S>): PullRequests {
  const { limits, harmless = (text) => text } = host;
  const fitting = ({ title, body }: Wording): Wording => ({
    title: oneLine(title.trim(), limits.title),
    body: shortened(harmless(body), limits.body),
  });

  const update = async (number: number, text: PullRequestText): Promise<Written> => {
    const standing = await host.read(number);
    if (standing.state !== 'Open') return { request: plain(standing), notes: [] };
    const wording = fitting(text);
    const request = says(standing, wording) ? standing : await host.edit(standing, wording);
    return completed(host, request, text);
  };

  return {
    latest: async (branches) => {
      const found = await openFirst(host.list(branches));
      return found && plain(found);
    },
    update,
    open: async (branches, text) => {
      const opened = await createOrFind(host, branches, fitting(text));
      return 'found' in opened ? update(opened.found, text) : completed(host, opened.created, text);
    },
    close: async (number, comment) => {
      const standing = await host.read(number);
      if (standing.state !== 'Open') return;
      await host.comment(number, shortened(harmless(comment), limits.body));
      await host.decline(standing);
    },
  };
}

/** Who opens a request in the same moment wins, and the host rejects ours, each in other words. */
async function createOrFind<S extends Standing>(
  host: Host<S>,
  branches: Branches,
  wording: Wording,
): Promise<{ created: S } | { found: number }> {
  try {
    return { created: await host.create(branches, wording) };
  } catch (error) {
    if (!(error instanceof HostError && error.code === 'Rejected')) throw error;
    const existing = await openFirst(host.list(branches));
    if (existing?.state !== 'Open') throw error;
    return { found: existing.number };
  }
}

async function completed<S extends Standing>(host: Host<S>, standing: S, text: Extras): Promise<Written> {
  const labels = missing(text.labels, standing.labels);
  const assignees = missing(text.assignees, standing.assignees);
  const isComplete = labels.length === 0 && assignees.length === 0;
  return {
    request: plain(standing),
    notes: isComplete ? [] : await host.add(standing, { labels, assignees }),
  };
}

function plain({ number, url, state, title, body }: PullRequest): PullRequest {
  return { number, url, state, title, body };
}

/** Names in either case are the same, to all hosts for users and to most for labels. */
function missing(wanted: readonly string[], present: readonly string[]): string[] {
  const known = new Set(present.map((name) => name.toLowerCase()));
  return [...new Set(wanted)].filter((name) => !known.has(name.toLowerCase()));
}

/** Hosts may change the ends of lines and leave out blanks at the end. */
function says(standing: Wording, { title, body }: Wording): boolean {
  const plain = (text: string): string => text.replaceAll('\r\n', '\n').trimEnd();
  const isTitle = plain(standing.title) === plain(title) || isCutFrom(standing.title, title);
  return isTitle && plain(standing.body) === plain(body);
}

/** Gitea counts a title in columns that it guesses, up to two for a character, and ends it by `…` where they are too many. */
function isCutFrom(seen: string, title: string): boolean {
  return seen.length > SHORTEST_CUT && seen.endsWith('…') && title.startsWith(seen.slice(0, -1));
}

/** A body that is too long ends at the end of a line, and says so. */
function shortened(body: string, limit: number): string {
  if (body.length <= limit) return body;
  const end = '\n\n(This text was too long for the host and ends here.)\n';
  const head = body.slice(0, limit - end.length);
  const lastLine = head.lastIndexOf('\n');
  return (lastLine > 0 ? head.slice(0, lastLine) : head).toWellFormed() + end;
}

/**
 * Does a step that a request can do without.
 *
 * @param what the step, for the note: `the label "deps"`
 * @returns a note when the host refused it, in a list; an empty one else
 */
export async function attempt(what: string, step: () => Promise<unknown>): Promise<string[]> {
  try {
    await step();
    return [];
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return [`${what} could not be set: ${error.message}`];
  }
}

/** Names for a note: `"a", "b"`. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
