import { test } from 'node:test';
import { FAKES, stageOn } from './stage.ts';
import { STORY } from './story.ts';

for (const [name, make] of Object.entries(FAKES)) {
  test(name, async (t) => {
    for (const [title, scene] of Object.entries(STORY)) {
      await t.test(title, async () => {
        const host = await make().start();
        try {
          await scene(stageOn(host));
        } finally {
          await host.stop();
        }
      });
    }
  });
}
