import { z } from 'zod';
import { parseBody } from './body.ts';
import { apiUrl, type Repository } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import { nextPage } from './link.ts';
import type { Access, Answer, RegistryRequest, Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 5_000;
// The most that all registries give; some have a lower limit of their own and refuse more. Then the size is left to them.
const PAGE_SIZES = [1000, 100];

// The distribution specification's grammar. What does not follow it cannot be pulled, and must not reach a manifest.
const tag = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
// An empty repository is `null` to some registries.
const page = z.object({ tags: z.array(tag).nullish() });

/**
 * All tags of a repository, in the registry's order. All or an error: part of a list could pass for the whole of it.
 *
 * @param maxTags a longer list is an error
 * @throws {RegistryError}
 */
export async function listTags(
  send: Send,
  repository: Repository,
  access: Access,
  maxTags: number,
): Promise<string[]> {
  const tags: string[] = [];
  const seen = new Set<string>();
  const list = apiUrl(repository, 'tags/list');
  let answer = await firstPage(send, { ...pageRequest(repository, access), url: list });
  for (;;) {
    for (const tag of readPage(answer, repository, access)) tags.push(tag);
    if (tags.length > maxTags) throw tooLong(repository, `more than ${maxTags} tags`);
    const next = nextPage(list, answer);
    if (next === undefined) return tags;
    if (seen.has(next.search)) throw tooLong(repository, 'pages that go round in a circle');
    if (seen.add(next.search).size >= MAX_PAGES) throw tooLong(repository, `more than ${MAX_PAGES} pages`);
    answer = await send({ ...pageRequest(repository, access), url: next });
  }
}

function pageRequest(repository: Repository, access: Access): Omit<RegistryRequest, 'url'> {
  return {
    method: 'GET',
    headers: { accept: 'application/json' },
    maxBytes: MAX_PAGE_BYTES,
    repository,
    access,
  };
}

async function firstPage(send: Send, request: RegistryRequest): Promise<Answer> {
  for (const size of PAGE_SIZES) {
    const url = new URL(request.url);
    url.searchParams.set('n', String(size));
    const answer = await send({ ...request, url });
    if (!isTooMany(answer)) return answer;
  }
  return send(request);
}

/** ECR: 405. Distribution v3: 400 with the code PAGINATION_NUMBER_INVALID. */
function isTooMany(answer: Answer): boolean {
  return (
    answer.status === 405 || (answer.status === 400 && answer.body.includes('PAGINATION_NUMBER_INVALID'))
  );
}

function readPage(answer: Answer, repository: Repository, access: Access): readonly string[] {
  const what = `the tags of ${repository.name}`;
  if (answer.status !== 200) throw statusError(answer, { repository, access }, what);
  return parseBody(page, answer, { repository }, what).tags ?? [];
}

function tooLong(repository: Repository, problem: string): RegistryError {
  return new RegistryError(
    'InvalidAnswer',
    `${repository.registry} lists ${repository.name} with ${problem}, which is not followed on`,
  );
}
