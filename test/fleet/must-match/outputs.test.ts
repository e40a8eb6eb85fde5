import { describe, it } from 'node:test';
import { lookupOf } from '../../core/yaml/lookup.ts';
import { compatiblyWritesAsFleet, writesAsFleet } from './cases.ts';
import { becomes, marker } from './scalars.ts';

const CANONICAL = 'index.docker.io/library/nginx';
/** What may stand in a marked place before. */
const SPELLINGS = [
  'nginx:1.0.0',
  'docker.io/nginx:1.0.0',
  'docker.io/library/nginx',
  `${CANONICAL}:1.0.0`,
  'ghcr.io/acme/other:1',
];
const over = (form: string): string[] => SPELLINGS.map((spelling) => `${form} over ${spelling}`);

describe('a marked place becomes what Fleet makes of it', () => {
  describe('with compatibility Fleet, whatever was there', () => {
    it('T is the canonical name and the tag', () => compatiblyWritesAsFleet(...over('image')));
    it('T:name is the canonical name', () => compatiblyWritesAsFleet(...over(':name')));
    it('T:tag is the tag', () => compatiblyWritesAsFleet(...over(':tag')));
    it('T:digest is the canonical name, the tag and the digest of linux/amd64', () =>
      compatiblyWritesAsFleet(...over(':digest'), 'an image that is no index has its own digest'));
    it("the spelling of the scan's image, and a tag in it, make no difference", () =>
      compatiblyWritesAsFleet(
        'the spelling of the scan does not count',
        "a tag in the scan's image does not count",
      ));
  });

  it('in any registry but Docker Hub the four are the same without a switch', () =>
    writesAsFleet('full', 'two markers one doc', 'registry port', 'kustomize digest field impossible'));

  it('the canonical name that Fleet wrote before stays canonical without a switch', () => {
    const lookup = lookupOf('1.25.3', CANONICAL);
    const file = (image: string, name: string): string =>
      `a: ${image} # ${marker()}\nb: ${name} # ${marker(':name')}\n`;
    becomes(file(`${CANONICAL}:1.0.0`, CANONICAL), file(`${CANONICAL}:1.25.3`, CANONICAL), lookup);
  });

  it('what says so already is not touched', () => {
    compatiblyWritesAsFleet('what is right already is not touched');
    const text = `a: 'ghcr.io/acme/app:1.2.3'   # ${marker()}\n`;
    becomes(text, text);
  });
});
