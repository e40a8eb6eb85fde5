import { writeFile } from 'node:fs/promises';

/** How a user of a kubeconfig shows who they are; the fields are the kubeconfig's own. */
export type KubeconfigUser =
  | { readonly 'client-certificate': string; readonly 'client-key': string }
  | { readonly token: string };

/** Writes a kubeconfig with one context. It is JSON, which is YAML, and readable by its owner only. */
export async function writeKubeconfig(
  path: string,
  {
    url,
    caFile,
    user,
    namespace = 'default',
  }: { url: string; caFile: string; user: KubeconfigUser; namespace?: string },
): Promise<void> {
  const name = 'fleetscan-test';
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  };
  await writeFile(path, `${JSON.stringify(kubeconfig, undefined, 2)}\n`, { mode: 0o600 });
}
