/**
 * The user name for a token that comes without one. GitHub and Gitea go by the token alone; GitLab wants any name, and before
 * 17.0 `oauth2` for a token of OAuth (gitlab-org/gitlab!152282); Bitbucket takes the access tokens of repositories, projects
 * and workspaces under `x-token-auth` only (its API tokens, which are a person's, need a name in the Secret).
 */
export function tokenUser(hostname: string): string {
  if (hostname.split('.').some((label) => label === 'bitbucket')) return 'x-token-auth';
  return hostname === 'github.com' || hostname.endsWith('.ghe.com') ? 'x-access-token' : 'oauth2';
}
