import { z } from 'zod';
import type { Api, Page, Query, Question } from './call.ts';
import { itemsOf } from './paging.ts';
import { questionsOn } from './questions.ts';
import { type Host, link, type Standing } from './requests.ts';
import { reviewedBy } from './reviewers.ts';

const account = z.object({ uuid: z.string(), account_id: z.string().nullish() });
const side = z.object({
  branch: z.object({ name: z.string() }),
  repository: z.object({ full_name: z.string() }).nullish(),
});
const pull = z.object({
  id: z.int(),
  links: z.object({ html: z.object({ href: link }) }),
  state: z.enum(['OPEN', 'MERGED', 'DECLINED', 'SUPERSEDED']),
  title: z.string(),
  description: z.string().nullish(),
  reviewers: z.array(account).nullish(),
  source: side,
  destination: side,
});
const page = z.object({ values: z.array(pull), page: z.int().optional(), next: z.string().optional() });

interface CloudRequest extends Standing {
  readonly reviewers: readonly z.infer<typeof account>[];
}

const STATES = { OPEN: 'Open', MERGED: 'Merged', DECLINED: 'Closed', SUPERSEDED: 'Closed' } as const;
// Names of accounts are not unique and not taken: https://developer.atlassian.com/cloud/bitbucket/bitbucket-api-changes-gdpr
const UUID = /^\{[0-9a-f-]{36}\}$/i;
const ACCOUNT_ID = /^(?:[0-9a-f]{24}|[0-9]{1,8}:[0-9a-f-]{36})$/i;

/** Requests by Bitbucket Cloud's API 2.0 (https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests). */
export function bitbucketCloud(api: Api, workspace: string, name: string): Host<CloudRequest> {
  const path = `/repositories/${encodeURIComponent(workspace)}/${encodeURIComponent(name)}/pullrequests`;
  const to = questionsOn(path, `${workspace}/${name}`);
  const one = async (question: Question): Promise<CloudRequest> => standingOf(await api.ask(question, pull));
  const pageOf = async (query: Query): Promise<Page<z.infer<typeof pull>>> => {
    const answer = await api.ask({ ...to('GET', '', 'the pull requests of'), query }, page);
    if (answer.next === undefined) return { items: answer.values };
    return { items: answer.values, next: { ...query, page: (answer.page ?? 1) + 1 } };
  };
  const put = (request: CloudRequest, title: string, more: object): Promise<CloudRequest> =>
    one(to('PUT', `/${request.number}`, 'to edit a pull request of', { title, ...more }));
  return {
    // The API names no limit of a description; pages for people stop at some 50,000 characters.
    limits: { title: 255, body: 50_000 },
    async *list({ source, target }) {
      const query = {
        q: `source.branch.name = ${literal(source)} AND destination.branch.name = ${literal(target)}`,
        state: Object.keys(STATES),
        sort: '-created_on',
        pagelen: 50,
      };
      for await (const found of itemsOf(query, pageOf)) {
        const isOwn = found.source.repository?.full_name === found.destination.repository?.full_name;
        const isBetween = found.source.branch.name === source && found.destination.branch.name === target;
        if (isOwn && isBetween) yield standingOf(found);
      }
    },
    read: (number) => one(to('GET', `/${number}`, `pull request ${number} of`)),
    create: ({ source, target }, { title, body }) =>
      one(
        to('POST', '', 'to open a pull request in', {
          title,
          description: body,
          source: { branch: { name: source } },
          destination: { branch: { name: target } },
        }),
      ),
    // Reviewers that are not sent along are taken off.
    edit: (request, { title, body }) =>
      put(request, title, { description: body, reviewers: request.reviewers.map(({ uuid }) => ({ uuid })) }),
    add: (request, extras) =>
      reviewedBy(request, extras, {
        refusal: (login) =>
          UUID.test(login) || ACCOUNT_ID.test(login)
            ? undefined
            : 'Bitbucket Cloud takes a UUID in braces or an account id, not a name',
        review: (standing, added) =>
          put(standing, standing.title, {
            reviewers: [...standing.reviewers.map(({ uuid }) => ({ uuid })), ...added.map(identified)],
          }),
      }),
    comment: (number, raw) =>
      api.tell(to('POST', `/${number}/comments`, 'a comment on a pull request of', { content: { raw } })),
    decline: ({ number }) => api.tell(to('POST', `/${number}/decline`, 'to decline a pull request of', {})),
  };
}

/** A string of Bitbucket's query language. A branch's name has no backslash. */
function literal(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}

function identified(login: string): object {
  return UUID.test(login) ? { uuid: login } : { account_id: login };
}

function standingOf(found: z.infer<typeof pull>): CloudRequest {
  const reviewers = found.reviewers ?? [];
  return {
    number: found.id,
    url: found.links.html.href,
    state: STATES[found.state],
    title: found.title,
    body: found.description ?? '',
    labels: [],
    assignees: reviewers.flatMap(({ uuid, account_id }) => [uuid, account_id ?? uuid]),
    reviewers,
  };
}
