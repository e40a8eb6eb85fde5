import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, newPrivateKey } from './certificates.ts';

/** The files that a control plane needs for TLS, its administrator and its service accounts. */
export interface Pki {
  readonly caFile: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly adminCertificate: string;
  readonly adminKey: string;
  readonly serviceAccountKey: string;
  /** The contents of three of them, for a client in this process. */
  readonly admin: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** Makes them in `folder`. */
export async function createPki(folder: string): Promise<Pki> {
  await mkdir(folder, { recursive: true });
  const authority = await createAuthority('fleetscan-test-ca');
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const [server, admin, serviceAccountKey] = await Promise.all([
    authority.issueServer(names, ['127.0.0.1']),
    authority.issueClient('admin', ['system:masters']),
    newPrivateKey(),
  ]);
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  return {
    caFile: await write('ca.crt', authority.certificate),
    serverCertificate: await write('apiserver.crt', server.certificate),
    serverKey: await write('apiserver.key', server.key),
    adminCertificate: await write('admin.crt', admin.certificate),
    adminKey: await write('admin.key', admin.key),
    serviceAccountKey: await write('service-accounts.key', serviceAccountKey),
    admin: { ca: authority.certificate, cert: admin.certificate, key: admin.key },
  };
}
