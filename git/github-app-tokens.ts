import { createHash } from 'node:crypto';
import {
  type Asking,
  type GitHubApp,
  gitHubApi,
  type InstallationToken,
  requestInstallationToken,
} from './github-app.ts';

/** A token is not used in its last minutes, so that it outlives the push that it is taken for. */
const SPARE_MS = 5 * 60_000;
const MAX_TOKENS = 1000;

/** The tokens of GitHub Apps, each kept until shortly before it ends. */
export class GitHubAppTokens {
  readonly #tokens = new Map<string, InstallationToken>();

  /**
   * The token for a repository's host, from memory or else from GitHub.
   *
   * @param refused a token that the host did not take, which is not given again
   * @throws {GitError} as {@link requestInstallationToken}
   */
  async token(app: GitHubApp, repositoryUrl: string, asking: Asking, refused?: string): Promise<string> {
    const api = gitHubApi(repositoryUrl);
    const key = keyOf(app, api);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.token !== refused && known.expiresAt - SPARE_MS > Date.now()) {
      return known.token;
    }
    const fresh = await requestInstallationToken(app, api, asking);
    this.#tokens.delete(key);
    this.#tokens.set(key, fresh);
    this.#forgetOldest();
    return fresh.token;
  }

  #forgetOldest(): void {
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > MAX_TOKENS && oldest !== undefined) this.#tokens.delete(oldest);
  }
}

/** A key that was replaced in the Secret counts at once. */
function keyOf({ appId, installationId, privateKey }: GitHubApp, api: string): string {
  return createHash('sha256')
    .update(JSON.stringify([api, appId, installationId, privateKey]))
    .digest('hex');
}
