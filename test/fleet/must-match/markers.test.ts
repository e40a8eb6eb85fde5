import { describe, it } from 'node:test';
import { OWN_GROUP } from '../../../core/group.ts';
import { ScanIndex } from '../../../core/scan.ts';
import { DIGEST } from '../../core/yaml/lookup.ts';
import { writesAsFleet } from './cases.ts';
import { becomes, marker, stay } from './scalars.ts';

/** Looks markers up among scans of these tagNames, each of an image of its own number at tag 1.2.3. */
function lookupAmong(...tagNames: readonly string[]) {
  const index = new ScanIndex();
  index.replace(
    tagNames.map((tagName, number) => {
      const name = `ghcr.io/acme/app-${number}`;
      return {
        group: OWN_GROUP,
        namespace: 'team',
        name: `imagescan-apps-${number}`,
        tagName,
        generation: 1,
        exportTo: [],
        history: [],
        inForce: { name, canonicalName: name, tag: '1.2.3', digest: DIGEST },
      };
    }),
  );
  return (wanted: Parameters<ScanIndex['find']>[0]) => index.find(wanted, { namespace: 'team' });
}

describe('the grammar of a marker is that of Fleet', () => {
  it('a marker is a comment of one JSON object, with any # signs and spaces around it', () => {
    writesAsFleet('full', 'nospace marker', 'double hash', 'tabs before comment');
    becomes(`a: old #   { "$imagescan"  :"app:tag" }  \n`, `a: 1.2.3 #   { "$imagescan"  :"app:tag" }  \n`);
  });

  it('other keys may stand in the object, as long as all its values are strings', () => {
    const more = '# {"note": "by us", "$imagescan": "app:tag"}';
    becomes(`a: old ${more}\n`, `a: 1.2.3 ${more}\n`);
    writesAsFleet('extra nonstring key');
    stay(['a: old # {"$imagescan": "app", "x": true}\n', 'a: old # {"$imagescan": ["app"]}\n']);
  });

  it('text before or after the object, and single quotes, make it no marker', () => {
    writesAsFleet('leading text before json');
    stay([
      `a: old # ${marker()} note\n`,
      `a: old # see: ${marker()}\n`,
      "a: old # {'$imagescan': 'app'}\n",
      'a: old # {$imagescan: app}\n',
      `a: old # # ${marker()}\n`,
    ]);
  });

  it('a marker stands behind its value, or where there is no comment behind it alone on the line above the value', () => {
    writesAsFleet('marker on seq item scalar', 'head comment seq elt', 'two markers one doc');
    becomes(`a:\n  # ${marker(':tag')}\n  old\n`, `a:\n  # ${marker(':tag')}\n  1.2.3\n`);
    stay([`a:\n  # ${marker()}\n  old # note\n`, `a:\n  # ${marker()}\n  # note\n  old\n`]);
  });

  it('a comment above or below `key: value` marks nothing', () => {
    writesAsFleet('foot comment', 'line comment other + head marker', 'non-ascii comment + marker next line');
    stay([`# ${marker()}\na: old\n`, `a: # ${marker()}\n  old\n`]);
  });

  it('the forms are T, T:name, T:tag and T:digest, in this case, and a tagName keeps to its own', () => {
    writesAsFleet('two markers one doc', 'unknown suffix', 'tagName uppercase sensitive');
    stay([
      ...['TAG', 'Name', 'DIGEST', 'image', ''].map((form) => `a: old # {"$imagescan": "app:${form}"}\n`),
      'a: old # {"$IMAGESCAN": "app"}\n',
    ]);
  });

  it('the name is a JSON pointer in a URI: ~1 stands for a slash, ~0 for a tilde, %20 for a space', () => {
    writesAsFleet('tagName with tilde', 'tagName with space');
    const written = (text: string): string => `a: old # {"$imagescan": "${text}"}\n`;
    const lookup = lookupAmong('a b', 'a/b', 'a~b');
    for (const [number, text] of ['a%20b', 'a~1b', 'a~0b'].entries()) {
      const image = `ghcr.io/acme/app-${number}:1.2.3`;
      becomes(written(text), written(text).replace('old', image), lookup);
    }
    stay([written('a/b')], lookup);
  });

  it('a tagName that ends like a form comes before the form', () => {
    const text = 'a: old # {"$imagescan": "app:tag"}\n';
    becomes(text, text.replace('old', 'ghcr.io/acme/app-1:1.2.3'), lookupAmong('app', 'app:tag'));
    becomes(text, text.replace('old', '1.2.3'), lookupAmong('app'));
  });

  it('markers of other tools are not ours', () => {
    writesAsFleet('flux marker');
    stay(['a: old # {"$openapi": "app"}\n', 'a: old # {"$imagepolicy": "team:app:tag"}\n']);
  });

  it('a marked scalar may be anywhere: anchored, tagged, in a flow mapping over lines, a block, any document of the file', () => {
    writesAsFleet('anchor', 'tagged !!str', 'flow map inner', 'folded scalar', 'plain multi-line scalar');
    writesAsFleet(
      'comment in key',
      'multi-doc',
      'empty docs',
      'trailing ...',
      'crd-like list of maps w/ comments',
    );
    becomes(`a: {b: old, # ${marker(':tag')}\n c: d}\n`, `a: {b: 1.2.3, # ${marker(':tag')}\n c: d}\n`);
  });

  it('what is no scalar with a value is left: null, an alias, a collection, text in a block, a key, a repeated key', () => {
    writesAsFleet('flow seq', 'dup keys');
    stay([
      `a: # ${marker()}\n`,
      `a: ~ # ${marker()}\n`,
      `b: &x old\na: *x # ${marker()}\n`,
      `a: # ${marker()}\n- old\n`,
      `a: # ${marker()}\n  b: old\n`,
      `a: {b: old} # ${marker()}\n`,
      `data: |\n  image: old # ${marker()}\n`,
      `? a # ${marker()}\n: old\n`,
    ]);
  });

  it('whatever stands in the place is overwritten: an unrelated image, a newer version', () => {
    writesAsFleet('marker value with ref to image containing other registry (no check)');
    becomes(`a: 9.0.0 # ${marker(':tag')}\n`, `a: 1.2.3 # ${marker(':tag')}\n`);
  });

  it('a marker whose scan has no value yet, or that no scan answers to, leaves its place as it is', () => {
    stay(['a: old # {"$imagescan": "new"}\n', 'a: old # {"$imagescan": "none:tag"}\n']);
  });
});
