/** One setting of git's configuration: key and value. */
export type Setting = readonly [key: string, value: string];

/** The variables of a program; git sees PATH, the proxies and the system's CA files of them, and no others. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** In which repository, with what configuration and for how long git works. */
export interface GitContext {
  readonly gitDirectory: string;
  readonly environment: Environment;
  readonly settings: readonly Setting[];
  /** Variables beside those that all calls have. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Deadline of one call, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const PROXY_VARIABLES = [
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
];
/** What every program that we start may know of the machine. */
const INHERITED = ['PATH', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', ...PROXY_VARIABLES];

/** Nothing on the machine but our own words decides what git does: no user or system files, no prompts, no ~/.netrc. */
const FIXED_ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'http:https:ssh',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  // What a filtered copy lacks is fetched in one go when we ask for it, never object by object behind our back.
  GIT_NO_LAZY_FETCH: '1',
};

const FIXED_SETTINGS: readonly Setting[] = [
  ['core.hooksPath', '/dev/null'],
  // The repository is a cache: what a power cut spoils is fetched again.
  ['core.fsync', 'none'],
  ['credential.helper', ''],
  ['fetch.recurseSubmodules', 'false'],
  ['push.recurseSubmodules', 'no'],
  // Housekeeping runs when we ask for it, never beside a call.
  ['gc.autoDetach', 'false'],
  ['maintenance.auto', 'false'],
];

/** All variables that git gets. */
export function environmentOf(context: GitContext): NodeJS.ProcessEnv {
  return {
    ...bareEnvironment(context.environment),
    ...FIXED_ENVIRONMENT,
    ...context.variables,
    GIT_DIR: context.gitDirectory,
    ...settingsEnvironment([...FIXED_SETTINGS, ...context.settings]),
  };
}

/** What the programs beside git (ssh-keygen, gpg) get: where programs are, and nothing of the user's. */
export function bareEnvironment(environment: Environment): NodeJS.ProcessEnv {
  const inherited = INHERITED.map((name) => [name, environment[name]]).filter(
    ([, value]) => value !== undefined,
  );
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...Object.fromEntries(inherited),
    HOME: '/dev/null',
    LC_ALL: 'C',
  };
}

/** Settings by environment (git 2.31): unlike `-c`, they are not in the list of processes. */
function settingsEnvironment(settings: readonly Setting[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [i, [key, value]] of settings.entries()) {
    variables[`GIT_CONFIG_KEY_${i}`] = key;
    variables[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return variables;
}
