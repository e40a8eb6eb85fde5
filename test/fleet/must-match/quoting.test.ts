import { describe, it } from 'node:test';
import { lookupOf } from '../../core/yaml/lookup.ts';
import { compatiblyWritesAsFleet, writesAsFleet } from './cases.ts';
import { becomes, marker } from './scalars.ts';

const line = (value: string): string => `tag: ${value} # ${marker(':tag')}\n`;

describe('a value is quoted as Fleet quotes it', () => {
  it('the quotes that stand there stay, single or double, also around nothing', () => {
    writesAsFleet('single-quoted value', 'empty string value', 'Chart.yaml appVersion');
    compatiblyWritesAsFleet('single quotes stay', 'double quotes stay');
    becomes(line("''"), line("'1.2.3'"));
  });

  it('a plain scalar that would read as a number, octal, boolean or null gets double quotes', () => {
    writesAsFleet('tag int-like result plain', 'tag octal-like', 'tag yes-like', 'tag sha hex e-notation');
    compatiblyWritesAsFleet('a tag that reads as a number is quoted');
    for (const tag of ['1', '1.20', '0x1f', '0o17', '1_000', '.5', 'true', 'No', 'on', 'null', 'Null'])
      becomes(line('old'), line(`"${tag}"`), lookupOf(tag));
  });

  it('a plain scalar that reads as text stays plain, also where a number stood', () => {
    becomes(line('5'), line('1.2.3'));
    for (const tag of ['v1', 'latest', 'a1b2c3d', 'nullable', '1.2.3-rc.1'])
      becomes(line('old'), line(tag), lookupOf(tag));
  });

  it('a number in single quotes keeps them', () => writesAsFleet('tag int-like result sq'));

  it('a number without quotes counts as the same text, and gets them along with another change', () => {
    becomes(line('20240101'), line('20240101'), lookupOf('20240101'));
    writesAsFleet('same value + other change');
  });
});
