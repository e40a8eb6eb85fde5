import { basicAuthorization } from '../redirect.ts';
import type { HostCredential } from './host.ts';
import type { HostProduct } from './location.ts';

// git logs in to Bitbucket by this name with the token of a repository, project or workspace, which has no user.
const TOKEN_USER = 'x-token-auth';

/**
 * The value of the Authorization header for a host, of the kinds of tokens that it has:
 *
 * - GitHub: `Bearer`, for personal, fine-grained and installation tokens.
 * - GitLab: `Bearer`, which takes access tokens of users, groups and projects as it does those of OAuth
 *   (https://docs.gitlab.com/api/rest/authentication); it knows no password.
 * - Gitea, Forgejo: `token`, for access tokens and OAuth; basic when there is a user name.
 * - Bitbucket Cloud: `Bearer` for access tokens; basic for an API token or app password, which go with a user name.
 * - Bitbucket Data Center: `Bearer` for HTTP access tokens; basic for a user's name and password, or token.
 */
export function authorizationFor(product: HostProduct, credential: HostCredential): string {
  const token = 'token' in credential ? credential.token : credential.password;
  switch (product) {
    case 'GitHub':
    case 'GitLab':
      return `Bearer ${token}`;
    case 'Gitea':
      return 'token' in credential ? `token ${token}` : basicAuthorization(credential);
    case 'BitbucketCloud':
    case 'BitbucketDataCenter':
      return 'token' in credential || credential.username === TOKEN_USER
        ? `Bearer ${token}`
        : basicAuthorization(credential);
  }
}

/** What must not be in a message, though a host may repeat it: the token or password, and its form in the header. */
export function secretsOf(authorization: string, credential: HostCredential): readonly string[] {
  const token = 'token' in credential ? credential.token : credential.password;
  const sent = authorization.slice(authorization.indexOf(' ') + 1);
  return [sent, token].filter((secret) => secret !== '');
}
