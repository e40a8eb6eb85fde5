import { z } from 'zod';
import type { Api, Question } from './call.ts';
import { itemsOf } from './paging.ts';
import { questionsOn } from './questions.ts';
import { attempt, type Extras, type Host, link, quoted, type Standing } from './requests.ts';

const mergeRequest = z.object({
  iid: z.int(),
  web_url: link,
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
  title: z.string(),
  description: z.string().nullish(),
  labels: z.array(z.string()),
  assignees: z.array(z.object({ id: z.int(), username: z.string() })),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.int().nullable(),
  target_project_id: z.int(),
});
const users = z.array(z.object({ id: z.int(), username: z.string() }));

interface MergeRequest extends Standing {
  readonly assigneeIds: readonly number[];
}

// `locked` is a merge under way.
const STATES = { opened: 'Open', locked: 'Open', closed: 'Closed', merged: 'Merged' } as const;

/**
 * Merge requests by GitLab's REST API (https://docs.gitlab.com/api/merge_requests).
 *
 * @param path of the project, with its groups
 */
export function gitLab(api: Api, path: string): Host<MergeRequest> {
  const project = `/projects/${encodeURIComponent(path)}/merge_requests`;
  const to = questionsOn(project, path);
  const one = async (question: Question): Promise<MergeRequest> =>
    standingOf(await api.ask(question, mergeRequest));
  return {
    limits: { title: 255, body: 1_048_576 },
    harmless: withoutActions,
    async *list({ source, target }) {
      const first = { state: 'all', source_branch: source, target_branch: target, per_page: 20 };
      const question = to('GET', '', 'the merge requests of');
      const pages = itemsOf(first, (query) =>
        api.numberedPage({ ...question, query }, z.array(mergeRequest)),
      );
      for await (const found of pages) {
        if (found.source_project_id === found.target_project_id) yield standingOf(found);
      }
    },
    read: (number) => one(to('GET', `/${number}`, `merge request ${number} of`)),
    create: ({ source, target }, { title, body }) =>
      one(
        to('POST', '', 'to open a merge request in', {
          source_branch: source,
          target_branch: target,
          title,
          description: body,
        }),
      ),
    edit: ({ number }, { title, body }) =>
      one(to('PUT', `/${number}`, 'to edit a merge request of', { title, description: body })),
    add: async (request, { labels, assignees }) => {
      const put = (what: string, body: unknown): Promise<void> =>
        api.tell(to('PUT', `/${request.number}`, `${what} of a merge request of`, body));
      return [
        ...(await label(put, labels)),
        ...(await assign(put, request, await identify(api, assigneesDue(request, assignees)))),
      ];
    },
    comment: (number, body) =>
      api.tell(to('POST', `/${number}/notes`, 'a comment on a merge request of', { body })),
    decline: ({ number }) =>
      api.tell(to('PUT', `/${number}`, 'to close a merge request of', { state_event: 'close' })),
  };
}

/**
 * GitLab obeys lines such as `/merge` (https://docs.gitlab.com/user/project/quick_actions), also where they came with the
 * labels of an image. With a backslash before it such a line is only shown.
 */
function withoutActions(text: string): string {
  return text.replaceAll(/^\/(?=[a-z])/gim, '\\/');
}

type Put = (what: string, body: unknown) => Promise<void>;

interface Identified {
  readonly found: z.infer<typeof users>;
  readonly notes: readonly string[];
}

/** A label that there is not yet is made. */
async function label(put: Put, labels: Extras['labels']): Promise<string[]> {
  if (labels.length === 0) return [];
  return attempt(`labels ${quoted(labels)}`, () => put('labels', { add_labels: labels.join(',') }));
}

/** GitLab Free keeps one assignee of several, so where there is one, no more are added. */
function assigneesDue({ assigneeIds }: MergeRequest, wanted: Extras['assignees']): Extras['assignees'] {
  return assigneeIds.length === 0 ? wanted : [];
}

async function assign(put: Put, request: MergeRequest, { found, notes }: Identified): Promise<string[]> {
  if (found.length === 0) return [...notes];
  const names = found.map(({ username }) => username);
  const assignee_ids = [...request.assigneeIds, ...found.map(({ id }) => id)];
  return [
    ...notes,
    ...(await attempt(`assignees ${quoted(names)}`, () => put('assignees', { assignee_ids }))),
  ];
}

async function identify(api: Api, logins: Extras['assignees']): Promise<Identified> {
  const found: z.infer<typeof users> = [];
  const notes: string[] = [];
  for (const username of logins) {
    const what = `user "${username}"`;
    const refused = await attempt(`assignee ${quoted([username])}`, async () => {
      const answer = await api.ask({ method: 'GET', path: '/users', query: { username }, what }, users);
      found.push(...answer.slice(0, 1));
      if (answer.length === 0)
        notes.push(`assignee ${quoted([username])} is left out: there is no such user`);
    });
    notes.push(...refused);
  }
  return { found, notes };
}

function standingOf(found: z.infer<typeof mergeRequest>): MergeRequest {
  return {
    number: found.iid,
    url: found.web_url,
    state: STATES[found.state],
    title: found.title,
    body: found.description ?? '',
    labels: found.labels,
    assignees: found.assignees.map(({ username }) => username),
    assigneeIds: found.assignees.map(({ id }) => id),
  };
}
