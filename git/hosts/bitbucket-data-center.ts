import { z } from 'zod';
import type { Api, Page, Query, Question } from './call.ts';
import { itemsOf } from './paging.ts';
import { questionsOn } from './questions.ts';
import { type Host, link, type Standing } from './requests.ts';
import { reviewedBy } from './reviewers.ts';

const side = z.object({
  id: z.string(),
  repository: z.object({ slug: z.string(), project: z.object({ key: z.string() }) }),
});
const pull = z.object({
  id: z.int(),
  version: z.int(),
  links: z.object({ self: z.array(z.object({ href: link })).min(1) }),
  state: z.enum(['OPEN', 'MERGED', 'DECLINED']),
  title: z.string(),
  description: z.string().nullish(),
  reviewers: z.array(z.object({ user: z.object({ name: z.string() }) })).nullish(),
  fromRef: side,
  toRef: side,
});
const page = z.object({ values: z.array(pull), isLastPage: z.boolean(), nextPageStart: z.int().nullish() });

interface DataCenterRequest extends Standing {
  /** Of the state that we read; the host refuses to change a later one by it. */
  readonly version: number;
}

const STATES = { OPEN: 'Open', MERGED: 'Merged', DECLINED: 'Closed' } as const;

/** Requests by the API of Bitbucket Data Center, formerly Server (https://developer.atlassian.com/server/bitbucket/rest). */
export function bitbucketDataCenter(api: Api, project: string, slug: string): Host<DataCenterRequest> {
  const path = `/projects/${encodeURIComponent(project)}/repos/${encodeURIComponent(slug)}/pull-requests`;
  const to = questionsOn(path, `${project}/${slug}`);
  const one = async (question: Question): Promise<DataCenterRequest> =>
    standingOf(await api.ask(question, pull));
  const pageOf = async (query: Query): Promise<Page<z.infer<typeof pull>>> => {
    const answer = await api.ask({ ...to('GET', '', 'the pull requests of'), query }, page);
    if (answer.isLastPage || typeof answer.nextPageStart !== 'number') return { items: answer.values };
    return { items: answer.values, next: { ...query, start: answer.nextPageStart } };
  };
  const put = ({ number, version }: DataCenterRequest, fields: object): Promise<DataCenterRequest> =>
    one(to('PUT', `/${number}`, 'to edit a pull request of', { version, ...fields }));
  const refOf = (branch: string): object => ({
    id: `refs/heads/${branch}`,
    repository: { slug, project: { key: project } },
  });
  return {
    limits: { title: 255, body: 32_768 },
    async *list({ source, target }) {
      const at = `refs/heads/${source}`;
      const query = { direction: 'OUTGOING', at, state: 'ALL', order: 'NEWEST', limit: 50 };
      for await (const found of itemsOf(query, pageOf)) {
        const isBetween = found.fromRef.id === at && found.toRef.id === `refs/heads/${target}`;
        if (isBetween && nameOf(found.fromRef) === nameOf(found.toRef)) yield standingOf(found);
      }
    },
    read: (number) => one(to('GET', `/${number}`, `pull request ${number} of`)),
    create: ({ source, target }, { title, body }) =>
      one(
        to('POST', '', 'to open a pull request in', {
          title,
          description: body,
          fromRef: refOf(source),
          toRef: refOf(target),
        }),
      ),
    // Reviewers that are not sent along are taken off.
    edit: (request, { title, body }) =>
      put(request, { title, description: body, reviewers: reviewersOf(request.assignees) }),
    add: (request, extras) =>
      reviewedBy(request, extras, {
        review: (standing, added) =>
          put(standing, {
            title: standing.title,
            description: standing.body,
            reviewers: reviewersOf([...standing.assignees, ...added]),
          }),
      }),
    comment: (number, text) =>
      api.tell(to('POST', `/${number}/comments`, 'a comment on a pull request of', { text })),
    decline: ({ number, version }) =>
      api.tell({
        ...to('POST', `/${number}/decline`, 'to decline a pull request of', {}),
        query: { version },
      }),
  };
}

function nameOf({ repository: { project, slug } }: z.infer<typeof side>): string {
  return `${project.key}/${slug}`;
}

function reviewersOf(names: readonly string[]): object[] {
  return names.map((name) => ({ user: { name } }));
}

function standingOf(found: z.infer<typeof pull>): DataCenterRequest {
  return {
    number: found.id,
    version: found.version,
    url: found.links.self[0]?.href ?? '',
    state: STATES[found.state],
    title: found.title,
    body: found.description ?? '',
    labels: [],
    assignees: (found.reviewers ?? []).map(({ user }) => user.name),
  };
}
