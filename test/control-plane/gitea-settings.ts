/** What an instance needs to know that is its own. */
export interface GiteaPlace {
  /** All it writes is in here. */
  readonly folder: string;
  readonly port: number;
  /** Where its templates and translations lie, should it not have them inside. */
  readonly files: string;
}

/**
 * The text of `app.ini` for a Gitea that serves this machine alone and asks nobody else for anything: no mail, no pictures,
 * no check for new versions (docs.gitea.com/administration/config-cheat-sheet).
 */
export function giteaSettings({ folder, port, files }: GiteaPlace): string {
  return ini({
    '': { WORK_PATH: folder, RUN_MODE: 'prod' },
    server: {
      HTTP_ADDR: '127.0.0.1',
      HTTP_PORT: port,
      DOMAIN: '127.0.0.1',
      ROOT_URL: `http://127.0.0.1:${port}/`,
      STATIC_ROOT_PATH: files,
      OFFLINE_MODE: true,
      DISABLE_SSH: true,
      LFS_START_SERVER: false,
    },
    database: { DB_TYPE: 'sqlite3', SQLITE_JOURNAL_MODE: 'WAL' },
    security: { INSTALL_LOCK: true },
    service: { DISABLE_REGISTRATION: true },
    mailer: { ENABLED: false },
    picture: { DISABLE_GRAVATAR: true },
    session: { PROVIDER: 'memory' },
    queue: { TYPE: 'channel' },
    indexer: { ISSUE_INDEXER_TYPE: 'db' },
    'cron.update_checker': { ENABLED: false },
    actions: { ENABLED: false },
    packages: { ENABLED: false },
    log: { MODE: 'console', LEVEL: 'Warn' },
  });
}

type Section = Readonly<Record<string, string | number | boolean>>;

function ini(sections: Readonly<Record<string, Section>>): string {
  const lines = Object.entries(sections).flatMap(([name, values]) => [
    ...(name === '' ? [] : [`[${name}]`]),
    ...Object.entries(values).map(([key, value]) => `${key} = ${value}`),
  ]);
  return `${lines.join('\n')}\n`;
}
