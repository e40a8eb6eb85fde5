import { RegistryError } from './errors.ts';
import type { Answer } from './request.ts';

// <target> or, as Quay once sent, a bare target; then its parameters.
const LINK = /(?:<([^<>]*)>|([^\s;,<>]+))[ \t]*((?:;[^,]*)?)/g;
const RELATION = /;[ \t]*rel[ \t]*=[ \t]*(?:"([^"]*)"|([^\s;,"]+))/i;

/**
 * The target of `rel=next` in a `Link` header (RFC 8288), leniently read: with or without angle brackets and quotes.
 *
 * @returns undefined when there is no next page
 */
export function nextTarget(header: string | readonly string[] | undefined): string | undefined {
  for (const [, bracketed, bare, parameters = ''] of [header ?? []].flat().join(',').matchAll(LINK)) {
    const [, quoted, unquoted = ''] = RELATION.exec(parameters) ?? [];
    if ((quoted ?? unquoted).toLowerCase().split(' ').includes('next')) return bracketed ?? bare;
  }
  return undefined;
}

/**
 * The URL of the page after an answer: the list's own URL with the query that the `Link` header gives. Its path is of no
 * use, as some registries behind a prefix get it wrong (Artifactory), and could lead elsewhere.
 *
 * @param list the URL of the list, by which it was asked for
 * @throws {RegistryError} 'InvalidAnswer' when the link leads to another host
 */
export function nextPage(list: URL, answer: Answer): URL | undefined {
  const target = nextTarget(answer.headers.link);
  if (target === undefined) return undefined;
  const url = URL.parse(target, answer.url);
  if (url === null || (url.origin !== list.origin && url.origin !== answer.url.origin)) {
    throw new RegistryError(
      'InvalidAnswer',
      `${list.host} says that its list goes on at another host, which is not followed: ask who runs it`,
    );
  }
  const next = new URL(list);
  next.search = url.search;
  return next;
}
