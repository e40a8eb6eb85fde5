import { z } from 'zod';
import type { Api, Question } from './call.ts';
import { HostError } from './host.ts';
import { itemsOf } from './paging.ts';
import { type QuestionMaker, questionsOn } from './questions.ts';
import { attempt, type Extras, type Host, link, quoted, type Standing } from './requests.ts';

// `label` keeps the branch's name after the branch is gone, when `ref` becomes refs/pull/N/head.
const side = z.object({ label: z.string(), repo_id: z.int() });
const pull = z.object({
  number: z.int(),
  html_url: link,
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  title: z.string(),
  body: z.string(),
  labels: z.array(z.object({ name: z.string() })).nullable(),
  assignees: z.array(z.object({ login: z.string() })).nullable(),
  head: side,
  base: side,
});
const labels = z.array(z.object({ id: z.int(), name: z.string() }));
const accounts = z.array(z.object({ login: z.string() }));

// What GitHub gives a label that is made by its use.
const NEW_LABEL_COLOR = '#ededed';
// A server's own limit is 50 where its settings name no other (`api.MAX_RESPONSE_ITEMS`).
const PAGE = { limit: 50, page: 1 };

/** Requests by the API of Gitea and Forgejo (https://docs.gitea.com/api, https://codeberg.org/api/swagger). */
export function gitea(api: Api, owner: string, name: string): Host {
  const repository = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  const to = questionsOn(repository, `${owner}/${name}`);
  const one = async (question: Question): Promise<Standing> => standingOf(await api.ask(question, pull));
  const list = (state: 'open' | 'closed', target: string): AsyncGenerator<z.infer<typeof pull>> =>
    itemsOf({ state, base_branch: target, ...PAGE }, (query) =>
      api.numberedPage({ ...to('GET', '/pulls', 'the pull requests of'), query }, z.array(pull)),
    );
  return {
    limits: { title: 255, body: 1_048_576 },
    async *list({ source, target }) {
      // There is no filter by source. The open ones come first, as they are few.
      for (const state of ['open', 'closed'] as const) {
        for await (const found of list(state, target)) {
          const isOwn = found.head.repo_id === found.base.repo_id;
          if (isOwn && found.head.label === source && found.base.label === target) yield standingOf(found);
        }
      }
    },
    read: (number) => one(to('GET', `/pulls/${number}`, `pull request ${number} of`)),
    create: ({ source, target }, wording) =>
      one(to('POST', '/pulls', 'to open a pull request in', { ...wording, head: source, base: target })),
    edit: ({ number }, wording) => one(to('PATCH', `/pulls/${number}`, 'to edit a pull request of', wording)),
    add: async (request, extras) => [
      ...(await label(api, to, owner, request.number, extras.labels)),
      ...(await assign(api, to, request, extras.assignees)),
    ],
    comment: (number, body) =>
      api.tell(to('POST', `/issues/${number}/comments`, 'a comment on a pull request of', { body })),
    decline: ({ number }) =>
      api.tell(to('PATCH', `/pulls/${number}`, 'to close a pull request of', { state: 'closed' })),
  };
}

/** Labels go by their ids, of the repository or its organisation; one that there is not yet is made, as GitHub and GitLab do. */
async function label(
  api: Api,
  to: QuestionMaker,
  owner: string,
  number: number,
  wanted: Extras['labels'],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  return attempt(`labels ${quoted(wanted)}`, async () => {
    const known = await knownLabels(api, to, owner);
    const ids: number[] = [];
    for (const name of wanted) ids.push(known.get(name) ?? (await makeLabel(api, to, name)));
    await api.tell(to('POST', `/issues/${number}/labels`, 'labels on a pull request of', { labels: ids }));
  });
}

async function knownLabels(api: Api, to: QuestionMaker, owner: string): Promise<ReadonlyMap<string, number>> {
  const known = new Map<string, number>();
  const ofOwner = {
    method: 'GET',
    path: `/orgs/${encodeURIComponent(owner)}/labels`,
    what: `labels of ${owner}`,
  };
  const lists = [ofOwner as Question, to('GET', '/labels', 'the labels of')];
  for (const question of lists) {
    const pages = itemsOf(PAGE, (query) => api.numberedPage({ ...question, query }, labels));
    try {
      for await (const { id, name } of pages) known.set(name, id);
    } catch (error) {
      if (!(question === ofOwner && isWithoutLabels(error))) throw error;
    }
  }
  return known;
}

/** An owner that is a user has none, and a token without `read:organization`, which nothing else needs, is shown none. */
function isWithoutLabels(error: unknown): boolean {
  return error instanceof HostError && (error.code === 'NotFound' || error.code === 'Unauthorized');
}

async function makeLabel(api: Api, to: QuestionMaker, name: string): Promise<number> {
  const question = to('POST', '/labels', 'to make a label in', { name, color: NEW_LABEL_COLOR });
  return (await api.ask(question, labels.element)).id;
}

/** One that cannot be assigned would fail the request for all, so who can be is asked for first. */
async function assign(
  api: Api,
  to: QuestionMaker,
  request: Standing,
  wanted: Extras['assignees'],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const notes: string[] = [];
  const refused = await attempt(`assignees ${quoted(wanted)}`, async () => {
    const answer = await api.ask(to('GET', '/assignees', 'who can be assigned in'), accounts);
    const able = new Set(answer.map(({ login }) => login.toLowerCase()));
    const added = wanted.filter((login) => able.has(login.toLowerCase()));
    const rest = wanted.filter((login) => !added.includes(login));
    if (rest.length > 0) notes.push(`assignees ${quoted(rest)} are left out: they cannot be assigned here`);
    if (added.length === 0) return;
    const body = { assignees: [...request.assignees, ...added] };
    await api.tell(to('PATCH', `/pulls/${request.number}`, 'assignees of a pull request of', body));
  });
  return [...notes, ...refused];
}

function standingOf(found: z.infer<typeof pull>): Standing {
  return {
    number: found.number,
    url: found.html_url,
    state: found.merged ? 'Merged' : found.state === 'open' ? 'Open' : 'Closed',
    title: found.title,
    body: found.body,
    labels: (found.labels ?? []).map(({ name }) => name),
    assignees: (found.assignees ?? []).map(({ login }) => login),
  };
}
