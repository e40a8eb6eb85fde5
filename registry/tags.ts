import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseBody } from './body.ts';
import { apiUrl, type Repository } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import { nextPage } from './link.ts';
import type { Access, Answer, RegistryRequest, Send } from './request.ts';
import { statusError } from './status.ts';

const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_LIST_BYTES = 64 * 1024 * 1024;
const MAX_PAGES = 5_000;
const PAGES_BETWEEN_LOOKS = 100;
// The most that all registries give; some have a lower limit of their own and refuse more. Then the size is left to them.
const PAGE_SIZES = [1000, 100];

// An empty repository is `null` to some registries. That all are strings is checked in a loop: a schema takes ten times as long for 50,000.
const page = z.object({ tags: z.custom<string[]>(isListOfStrings).nullish() });

/** The tags of a repository. */
export interface TagList {
  /** In the registry's order, each once; read and checked when they are first asked for, and then throws what is wrong with them. */
  readonly tags: readonly string[];
  /** The same for the same answers, and all but certainly for no others. */
  readonly revision: string;
}

/**
 * Lists all tags of a repository. All or an error: part of a list could pass for the whole of it.
 *
 * @param maxTags a longer list is an error
 * @throws {RegistryError}
 */
export async function listTags(
  send: Send,
  repository: Repository,
  access: Access,
  maxTags: number,
): Promise<TagList> {
  const answers: Answer[] = [];
  const hash = createHash('sha256');
  const seen = new Set<string>();
  let size = 0;
  let known = 0;
  const list = apiUrl(repository, 'tags/list');
  let answer = await firstPage(send, { ...pageRequest(repository, access), url: list });
  for (;;) {
    if (answer.status !== 200) throw statusError(answer, { repository, access }, whatOf(repository));
    answers.push(answer);
    hash.update(answer.body);
    size += answer.body.length;
    if (size > MAX_LIST_BYTES) throw tooLong(repository, `more than ${MAX_LIST_BYTES} bytes`);
    if (answers.length % PAGES_BETWEEN_LOOKS === 0) known = lookAt(answers, repository, maxTags, known);
    const next = nextPage(list, answer);
    if (next === undefined) break;
    if (seen.has(next.search)) throw tooLong(repository, 'pages that go round in a circle');
    if (seen.add(next.search).size >= MAX_PAGES) throw tooLong(repository, `more than ${MAX_PAGES} pages`);
    answer = await send({ ...pageRequest(repository, access), url: next });
  }
  return new Pages(answers, hash.digest('base64'), repository, maxTags);
}

/** An endless chain of pages shows when one looks: the tags become too many, or no more. */
function lookAt(answers: readonly Answer[], repository: Repository, maxTags: number, before: number): number {
  const { length } = new Pages(answers, '', repository, maxTags).tags;
  if (length === before) throw tooLong(repository, `${PAGES_BETWEEN_LOOKS} pages that bring nothing new`);
  return length;
}

class Pages implements TagList {
  readonly revision: string;
  #answers: readonly Answer[];
  #tags: readonly string[] | undefined;
  readonly #repository: Repository;
  readonly #maxTags: number;

  constructor(answers: readonly Answer[], revision: string, repository: Repository, maxTags: number) {
    this.revision = revision;
    this.#answers = answers;
    this.#repository = repository;
    this.#maxTags = maxTags;
  }

  get tags(): readonly string[] {
    this.#tags ??= this.#read();
    this.#answers = [];
    return this.#tags;
  }

  #read(): readonly string[] {
    const repository = this.#repository;
    const tags = new Set<string>();
    for (const answer of this.#answers) {
      const { tags: listed } = parseBody(page, answer, { repository }, whatOf(repository));
      for (const tag of listed ?? []) tags.add(tag);
      if (tags.size > this.#maxTags) throw tooLong(repository, `more than ${this.#maxTags} tags`);
    }
    return [...tags];
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

/** ECR: 405, and behind some proxies 400 with its words. Distribution v3: 400 with the code PAGINATION_NUMBER_INVALID. */
function isTooMany({ status, body }: Answer): boolean {
  if (status === 405) return true;
  return (
    status === 400 &&
    (body.includes('PAGINATION_NUMBER_INVALID') || body.includes('value less than or equal to'))
  );
}

function isListOfStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((tag) => typeof tag === 'string');
}

function whatOf({ name }: Repository): string {
  return `the tags of ${name}`;
}

function tooLong(repository: Repository, problem: string): RegistryError {
  return new RegistryError(
    'InvalidAnswer',
    `${repository.registry} lists ${repository.name} with ${problem}, which is not followed on`,
  );
}
