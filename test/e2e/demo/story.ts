import { waitFor } from '../../wait.ts';
import { pushImage } from '../../control-plane/push-image.ts';
import { deploymentYaml, gitRepoYaml, imageScanYaml } from './manifests.ts';
import { expect, step } from './step.ts';
import type { Stage } from './stage.ts';

/** The main job, step by step: a tag becomes a pod's image and a commit. */
export async function tellStory(stage: Stage): Promise<void> {
  const { registry, git, fleetscan, credential, repository } = stage;
  const image = `${registry.host}/web`;

  await step('Push the images 1.0.0, 1.1.0 and 2.0.0-rc.1, for two platforms each', async () => {
    for (const tag of ['1.0.0', '1.1.0', '2.0.0-rc.1']) await pushImage(registry.host, 'web', tag);
    return `${image} has 3 tags`;
  });

  await step('kubectl apply an ImageScan: follow the image, newest version, no pre-releases', async () => {
    const applied = await apply(stage, imageScanYaml(image));
    const tag = await waitFor('a value in force', () => valueInForce(stage));
    expect('the value in force', tag, '1.1.0');
    return `${applied}; in force: ${tag}`;
  });

  await step('kubectl apply the Deployment from Git, whose image is 1.0.0 and bears a marker', async () => {
    const applied = await apply(stage, deploymentYaml(`${image}:1.0.0`));
    const images = await waitFor('two pods', () => podImages(stage, 2));
    for (const podImage of images) expect("a pod's image", podImage, `${image}:1.1.0`);
    return `${applied}; its template says ${await templateImage(stage)}, its pods got:\n${images.join('\n')}`;
  });

  await step('kubectl apply a GitRepo: write values back there', async () => {
    const before = await git.head(repository);
    const applied = await apply(stage, gitRepoYaml(stage.repositoryUrl, credential));
    await waitFor('a commit', async () => ((await git.head(repository)) === before ? undefined : true));
    return `${applied.replaceAll('\n', ', ')}\n${(await stage.showCommit()).trim()}`;
  });

  await step(
    'Push the image 1.2.0',
    async () => `pushed ${(await pushImage(registry.host, 'web', '1.2.0')).digest}`,
  );

  await step('kubectl fleetscan scan web --wait', async () => {
    const { stdout } = await fleetscan('scan', 'web', '--wait');
    if (!stdout.includes('1.1.0 -> 1.2.0')) expect('its answer', stdout.trim(), '… 1.1.0 -> 1.2.0 …');
    return stdout;
  });

  await step('Scale the Deployment up: a new pod gets the new value', async () => {
    await kubectl(stage, 'scale', 'deployment/web', '--replicas=3');
    const images = await waitFor('three pods', () => podImages(stage, 3));
    expect(
      'the images',
      images.toSorted().join(),
      [`${image}:1.1.0`, `${image}:1.1.0`, `${image}:1.2.0`].join(),
    );
    return `the pods now have:\n${images.toSorted().join('\n')}`;
  });

  await step('See the commit in Git', async () => {
    const text = await waitFor('the commit', async () => {
      const file = await git.readFile(repository, 'deployment.yaml');
      return file.includes(':1.2.0') ? file : undefined;
    });
    expect('the file', text, deploymentYaml(`${image}:1.2.0`));
    return `only the bytes of the image changed\n${(await stage.showCommit()).trim()}`;
  });

  await step('kubectl fleetscan status', async () => {
    const { stdout } = await fleetscan('status');
    if (!stdout.includes('1.2.0')) expect('the status', stdout, 'a line with 1.2.0');
    return `one value, in the pods, the policy and Git\n${stdout}`;
  });

  await step('kubectl fleetscan explain web --insecure-registry HOST', async () => {
    const { stdout } = await fleetscan('explain', 'web', '--insecure-registry', registry.host);
    if (!/1\.2\.0 +Chosen/.test(stdout)) expect('the explanation', stdout, 'a line with 1.2.0 Chosen');
    return `and why not another tag\n${stdout}`;
  });
}

async function kubectl({ cluster }: Stage, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(...args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

async function apply({ cluster }: Stage, yaml: string): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectlWith({ stdin: yaml }, 'apply', '-f', '-');
  if (code !== 0) throw new Error(`kubectl apply: ${stderr}`);
  return stdout.trim();
}

async function valueInForce(stage: Stage): Promise<string | undefined> {
  return (await kubectl(stage, 'get', 'imagescan/web', '-o', 'jsonpath={.status.latestTag}')) || undefined;
}

async function podImages(stage: Stage, count: number): Promise<string[] | undefined> {
  const path = 'jsonpath={.items[*].spec.containers[0].image}';
  const images = (await kubectl(stage, 'get', 'pods', '-l', 'app=web', '-o', path))
    .split(' ')
    .filter(Boolean);
  return images.length === count ? images : undefined;
}

function templateImage(stage: Stage): Promise<string> {
  return kubectl(stage, 'get', 'deployment/web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}');
}
