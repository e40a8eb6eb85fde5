/** How the registry speaks; each is read anew at every request, so a test may change it as it goes. */
export interface Dialect {
  auth: 'None' | 'Basic' | 'Bearer';
  /** Passwords by user. */
  users: Record<string, string>;
  identityTokens: string[];
  /** Whether tokens are given to those without a credential, and are good for reading. */
  anonymousPull: boolean;
  /** False: the token server knows GET only. */
  oauth: boolean;
  tokenField: 'token' | 'access_token';
  expiresIn: number | undefined;
  /** In place of the challenges that `auth` implies; `{origin}` stands for the registry's own. */
  challenges: string[] | undefined;
  /** The actions that a token needs for the list of tags. */
  listActions: readonly string[];
  pageSize: number;
  /** What is said to a greater `n`. */
  tooMany: { above: number; status: 405 | 400; code: string; message?: string } | undefined;
  /** How the next page is named: by the last tag of this one, or by a word that only the registry understands. */
  cursor: 'last' | 'next_page';
  /** The header that leads to a page; `{origin}` as above. */
  link: (target: string) => string;
  /** What a list has besides name and tags. */
  listFields: (tags: readonly string[]) => Record<string, unknown>;
  emptyList: null | [];
  head: boolean;
  /** Headers of all answers but errors. */
  headers: Record<string, string>;
  digestHeader: (digest: string) => string | undefined;
  /** Whether lists and manifests bear an ETag, and are not sent again to who has them. */
  etag: boolean;
  /** Where blobs are had, in place of here. */
  blobLocation: ((digest: string) => string) | undefined;
}

export const DEFAULT_DIALECT: Readonly<Dialect> = {
  auth: 'None',
  users: {},
  identityTokens: [],
  anonymousPull: false,
  oauth: true,
  tokenField: 'token',
  expiresIn: 300,
  challenges: undefined,
  listActions: ['pull'],
  pageSize: 1000,
  tooMany: undefined,
  cursor: 'last',
  link: (target) => `<${target}>; rel="next"`,
  listFields: () => ({}),
  emptyList: [],
  head: true,
  headers: {},
  digestHeader: (digest) => digest,
  etag: false,
  blobLocation: undefined,
};
