import { request } from 'undici';
import { messageOf } from '../core/errors.ts';
import type { Address } from './address.ts';
import { agentFor, type Trust } from './agent.ts';
import { GitError } from './errors.ts';
import type { GitContext } from './environment.ts';

export type { Trust } from './agent.ts';

const DISCOVERY = '/info/refs';

type HttpAddress = Extract<Address, { kind: 'http' }>;

/**
 * Finds where a server redirects a repository to (GitLab does, from `…/project` to `…/project.git`; GitHub, from a former
 * name). git is not let to follow by itself when there is a credential, since it would send it on to any host.
 *
 * @returns the new URL, on the same origin
 * @throws {GitError} `RepositoryMissing` when it is elsewhere, `Unreachable` when the question finds no answer
 */
export async function redirectTarget({ url, credential }: HttpAddress, options: Asking): Promise<string> {
  const location = await locationOf(`${url.replace(/\/$/, '')}${DISCOVERY}?service=git-upload-pack`, {
    ...options,
    ...(credential !== undefined && { authorization: basicAuthorization(credential) }),
  });
  const target = location === undefined ? null : URL.parse(location, url);
  if (target === null || !target.pathname.endsWith(DISCOVERY)) {
    throw new GitError('RepositoryMissing', `${url} redirects, but not to a repository`);
  }
  const moved = `${target.origin}${target.pathname.slice(0, -DISCOVERY.length)}`;
  if (target.origin !== new URL(url).origin) {
    throw new GitError(
      'RepositoryMissing',
      `${url} redirects to ${moved}; use that URL: a credential is not sent on to another host`,
    );
  }
  return moved;
}

/** The value of an Authorization header for HTTP basic authentication (RFC 7617, UTF-8). */
export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

interface Asking extends Trust, Pick<GitContext, 'environment' | 'timeoutMs' | 'signal'> {}

interface Question extends Asking {
  readonly authorization?: string;
}

async function locationOf(url: string, question: Question): Promise<string | undefined> {
  const agent = await agentFor(question);
  try {
    const headers = question.authorization === undefined ? {} : { authorization: question.authorization };
    const answer = await request(url, { dispatcher: agent, headers, signal: question.signal ?? null });
    await answer.body.dump();
    const { location } = answer.headers;
    return typeof location === 'string' ? location : undefined;
  } catch (cause) {
    question.signal?.throwIfAborted();
    throw new GitError('Unreachable', `no connection to ${url}: ${messageOf(cause)}`, { cause });
  } finally {
    await agent.destroy();
  }
}
