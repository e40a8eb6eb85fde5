import { z } from 'zod';
import type { Api, Question } from './call.ts';
import { itemsOf } from './paging.ts';
import { type QuestionMaker, questionsOn } from './questions.ts';
import { attempt, type Extras, type Host, link, quoted, type Standing } from './requests.ts';

const side = z.object({ ref: z.string(), repo: z.object({ id: z.number() }).nullable() });
const pull = z.object({
  number: z.int(),
  html_url: link,
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  labels: z.array(z.object({ name: z.string() })),
  assignees: z.array(z.object({ login: z.string() })).nullish(),
  head: side,
  base: side,
});

/** What GitHub wants to be sent with each request. */
export const GITHUB_HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };

/** Requests by GitHub's REST API (https://docs.github.com/rest/pulls/pulls). */
export function gitHub(api: Api, owner: string, name: string): Host {
  const repository = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  const to = questionsOn(repository, `${owner}/${name}`);
  const one = async (question: Question): Promise<Standing> => standingOf(await api.ask(question, pull));
  return {
    limits: { title: 256, body: 65_536 },
    async *list({ source, target }) {
      const first = { state: 'all', head: `${owner}:${source}`, base: target, per_page: 50 };
      const question = to('GET', '/pulls', 'the pull requests of');
      const pages = itemsOf(first, (query) => api.numberedPage({ ...question, query }, z.array(pull)));
      for await (const found of pages) {
        // An organisation may hold a fork of its own repository.
        const isOwn = found.head.repo !== null && found.head.repo.id === found.base.repo?.id;
        if (isOwn && found.head.ref === source && found.base.ref === target) yield standingOf(found);
      }
    },
    read: (number) => one(to('GET', `/pulls/${number}`, `pull request ${number} of`)),
    create: ({ source, target }, wording) =>
      one(to('POST', '/pulls', 'to open a pull request in', { ...wording, head: source, base: target })),
    edit: ({ number }, wording) => one(to('PATCH', `/pulls/${number}`, 'to edit a pull request of', wording)),
    add: async ({ number }, { labels, assignees }) => [
      ...(await label(api, to, number, labels)),
      ...(await assign(api, to, number, assignees)),
    ],
    comment: (number, body) =>
      api.tell(to('POST', `/issues/${number}/comments`, 'a comment on a pull request of', { body })),
    decline: ({ number }) =>
      api.tell(to('PATCH', `/pulls/${number}`, 'to close a pull request of', { state: 'closed' })),
  };
}

/** Labels and assignees are on the issue that a pull request also is. A label that there is not yet is made. */
async function label(
  api: Api,
  to: QuestionMaker,
  number: number,
  labels: Extras['labels'],
): Promise<string[]> {
  if (labels.length === 0) return [];
  const question = to('POST', `/issues/${number}/labels`, 'labels on a pull request of', { labels });
  return attempt(`labels ${quoted(labels)}`, () => api.tell(question));
}

/** GitHub leaves out in silence who cannot be assigned, so each is asked for first. */
async function assign(
  api: Api,
  to: QuestionMaker,
  number: number,
  logins: Extras['assignees'],
): Promise<string[]> {
  const assignees: string[] = [];
  const notes: string[] = [];
  for (const login of logins) {
    const question = to('GET', `/assignees/${encodeURIComponent(login)}`, `assignee "${login}" in`);
    const refused = await attempt(`assignee ${quoted([login])}`, () => api.tell(question));
    notes.push(...refused);
    if (refused.length === 0) assignees.push(login);
  }
  if (assignees.length === 0) return notes;
  const question = to('POST', `/issues/${number}/assignees`, 'assignees of a pull request of', { assignees });
  return [...notes, ...(await attempt(`assignees ${quoted(assignees)}`, () => api.tell(question)))];
}

function standingOf(found: z.infer<typeof pull>): Standing {
  const isMerged = typeof found.merged_at === 'string';
  return {
    number: found.number,
    url: found.html_url,
    state: found.state === 'open' ? 'Open' : isMerged ? 'Merged' : 'Closed',
    title: found.title,
    body: found.body ?? '',
    labels: found.labels.map(({ name }) => name),
    assignees: (found.assignees ?? []).map(({ login }) => login),
  };
}
