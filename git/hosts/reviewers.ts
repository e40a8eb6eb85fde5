import { HostError } from './host.ts';
import { attempt, type Extras, quoted, type Standing } from './requests.ts';

/** How a host of Bitbucket's kind is given reviewers, which stand there for assignees. */
export interface Reviewing<S extends Standing> {
  /** Why a name is not even asked for. */
  readonly refusal?: (login: string) => string | undefined;
  /** Adds reviewers to those of the request; the host refuses all of them for one that it does not take. */
  readonly review: (standing: S, added: readonly string[]) => Promise<S>;
}

/**
 * Makes assignees the reviewers of a request, on hosts that have neither assignees nor labels. Of several of which the
 * host refuses one, the others are taken.
 *
 * @returns notes on labels and on who was left out
 */
export async function reviewedBy<S extends Standing>(
  request: S,
  { labels, assignees }: Extras,
  { refusal = () => undefined, review }: Reviewing<S>,
): Promise<string[]> {
  const notes = labels.length === 0 ? [] : [`labels ${quoted(labels)} are left out: Bitbucket has none`];
  const taken: string[] = [];
  for (const login of assignees) {
    const reason = refusal(login);
    if (reason === undefined) taken.push(login);
    else notes.push(`assignee ${quoted([login])} is left out: ${reason}`);
  }
  return taken.length === 0 ? notes : [...notes, ...(await together(request, taken, review))];
}

async function together<S extends Standing>(
  request: S,
  logins: readonly string[],
  review: Reviewing<S>['review'],
): Promise<string[]> {
  try {
    await review(request, logins);
    return [];
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'Rejected' && logins.length > 1) return oneByOne(request, logins, review);
    return [`reviewers ${quoted(logins)} could not be set: ${error.message}`];
  }
}

async function oneByOne<S extends Standing>(
  request: S,
  logins: readonly string[],
  review: Reviewing<S>['review'],
): Promise<string[]> {
  const notes: string[] = [];
  let standing = request;
  for (const login of logins) {
    const refused = await attempt(`reviewer ${quoted([login])}`, async () => {
      standing = await review(standing, [login]);
    });
    notes.push(...refused);
  }
  return notes;
}
