import { messageOf } from '../../../core/errors.ts';
import { type Stage, setStage } from './stage.ts';
import { tellStory } from './story.ts';

const keep = process.argv.includes('--keep');

try {
  const stage = await setStage();
  try {
    await tellStory(stage);
    if (keep) await play(stage);
  } finally {
    await stage.stop();
  }
  console.log('\nAll as it should be.');
  process.exit(0);
} catch (error) {
  console.error(`\n✘ ${messageOf(error)}`);
  process.exit(1);
}

async function play({ env, registry, repositoryUrl, credential }: Stage): Promise<void> {
  console.log(`
All is up and stays. In another terminal:

  export KUBECONFIG=${env.KUBECONFIG}
  export PATH=${env.PATH.split(':').slice(0, 2).join(':')}:$PATH

  kubectl fleetscan status --watch          # what is in force
  kubectl get pods,imagescans,gitrepos
  kubectl annotate imagescan web fleetscan.io/scan-requested-at="$(date)" --overwrite

  registry    ${registry.host} (plain HTTP)
  Git         git clone ${repositoryUrl.replace('//', `//${credential.username}:${encodeURIComponent(credential.password)}@`)}

Stop with Ctrl-C here, or: kill ${process.pid}`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
