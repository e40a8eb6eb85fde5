import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { readReconcilerConfig } from '../../reconciler/config.ts';
import { readRegistryFiles } from '../../reconciler/registries.ts';
import { temporaryFolder } from '../control-plane/processes.ts';

const config = (...flags: string[]) =>
  readReconcilerConfig(['--namespace=fleetscan-system', '--identity=a', ...flags]);

describe('the files about registries', () => {
  it('are none where no flag names one', async () => {
    assert.deepEqual(await readRegistryFiles(config()), { settings: undefined, providers: undefined });
  });

  it('stop the program before it begins when one cannot be used, with the file and what is wrong', async () => {
    const file = `${temporaryFolder('registries')}/registries.yaml`;
    await writeFile(file, 'registries: [{host: a, plainHttp: true}]');
    await assert.rejects(readRegistryFiles(config(`--registries-config=${file}`)), {
      code: 'InvalidSettings',
      message: /registries\.yaml: registries\.0: .*plainHttp/,
    });
    await assert.rejects(
      readRegistryFiles(
        config(`--image-credential-provider-config=${file}`, '--image-credential-provider-bin-dir=/bin'),
      ),
      { code: 'InvalidProviderConfig' },
    );
  });

  it('of credential providers are named together with the folder of the programs', async () => {
    for (const flag of ['--image-credential-provider-config=/x', '--image-credential-provider-bin-dir=/x']) {
      await assert.rejects(readRegistryFiles(config(flag)), { message: /go together/ });
    }
  });
});
