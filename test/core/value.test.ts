import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Form } from '../../core/marker.ts';
import { containerImage, scalarText } from '../../core/value.ts';
import { digest, valueOf } from './samples.ts';

const NGINX = valueOf('nginx', '1.3');
const CANONICAL = valueOf('index.docker.io/library/nginx', '1.3');
const APP = valueOf('ghcr.io/acme/app', '2.0');
const NEW = digest('a');
const OLD = digest('b');
const FORMS: Form[] = ['image', 'name', 'tag', 'digest', 'sha'];

describe('containerImage', () => {
  const rows: [
    form: Form,
    current: string,
    expected: string | undefined,
    why: string,
    value?: typeof NGINX,
  ][] = [
    ['image', 'nginx:1.0', 'nginx:1.3', 'the new tag'],
    ['image', 'nginx', 'nginx:1.3', 'where there was none'],
    ['image', `nginx:1.0@${OLD}`, 'nginx:1.3', 'an old digest goes, or the tag would mean nothing'],
    ['image', 'docker.io/library/nginx:1.0', 'docker.io/library/nginx:1.3', "the user's spelling stays"],
    ['image', 'docker.io/nginx', 'docker.io/nginx:1.3', 'whichever it is'],
    ['image', 'nginx:1.0', 'nginx:1.3', 'even where the scan spells it in full', CANONICAL],
    ['image', 'ghcr.io/acme/app:1', 'nginx:1.3', "another image gives way to the scan's"],
    ['image', 'registry-1.docker.io/library/nginx', 'nginx:1.3', 'a mirror is another image'],
    ['image', '', 'nginx:1.3', 'a container without image gets one'],
    ['image', 'not an image', 'nginx:1.3', 'as does one whose image nobody could pull'],
    ['digest', 'nginx:1.0', `nginx:1.3@${NEW}`, 'tag and digest'],
    ['digest', `docker.io/nginx@${OLD}`, `docker.io/nginx:1.3@${NEW}`, 'in place of the old ones'],
    ['digest', '', `nginx:1.3@${NEW}`, 'where there was nothing'],
    ['name', 'nginx:1.0', 'ghcr.io/acme/app:1.0', 'keeps the tag', APP],
    ['name', `nginx@${OLD}`, `ghcr.io/acme/app@${OLD}`, 'keeps the digest', APP],
    ['name', `nginx:1.0@${OLD}`, `ghcr.io/acme/app:1.0@${OLD}`, 'keeps both', APP],
    ['name', 'nginx', 'ghcr.io/acme/app', 'has nothing to keep', APP],
    ['name', 'docker.io/nginx:1.0', 'docker.io/nginx:1.0', 'the name is right in this spelling'],
    ['name', '', undefined, 'there is no tag to keep, and latest is not to be guessed', APP],
    ['tag', 'nginx:1.0', 'nginx:1.3', 'the new tag'],
    ['tag', 'nginx', 'nginx:1.3', 'where there was none'],
    ['tag', `nginx:1.0@${OLD}`, 'nginx:1.3', 'an old digest goes, or the tag would mean nothing'],
    ['tag', 'mirror.local/nginx:1.0', 'mirror.local/nginx:1.3', 'the name it had, whatever it is'],
    ['tag', '', undefined, 'no name to keep: ":1.3" is no image'],
    ['tag', ':1.0', undefined, 'nor here'],
    ['sha', 'nginx:1.0', `nginx@${NEW}`, 'the digest alone'],
    ['sha', `mirror.local/nginx@${OLD}`, `mirror.local/nginx@${NEW}`, 'the name it had'],
    ['sha', '', undefined, 'no name to keep'],
    ['sha', 'NO/IMAGE', undefined, 'what is no reference has no name'],
  ];
  for (const [form, current, expected, why, value = NGINX] of rows) {
    it(`:${form} of "${current.replace(OLD, 'OLD')}" with ${value.name}: ${why}`, () =>
      assert.equal(containerImage(form, value, current), expected));
  }

  it('changes nothing the second time', () => {
    const images = fc.constantFrom(
      '',
      'x y',
      'nginx',
      'nginx:1',
      `nginx@${OLD}`,
      `docker.io/nginx:1@${OLD}`,
      'reg:5000/app:1',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...FORMS),
        fc.constantFrom(NGINX, CANONICAL, APP),
        images,
        (form, value, image) => {
          const once = containerImage(form, value, image);
          if (once !== undefined) assert.equal(containerImage(form, value, once), once);
        },
      ),
    );
  });
});

describe('scalarText', () => {
  const AS_FLEET = { ...NGINX, spelling: 'Canonical' as const };
  const rows: [form: Form, current: string, expected: string, why: string, value?: typeof NGINX][] = [
    ['image', 'nginx:1.0', 'nginx:1.3', 'the new tag'],
    ['image', 'docker.io/library/nginx:1.0', 'docker.io/library/nginx:1.3', "the user's spelling stays"],
    ['image', 'nginx:1.0', 'nginx:1.3', 'even where the scan spells it in full', CANONICAL],
    ['image', 'ghcr.io/acme/app:1', 'nginx:1.3', 'the old value is not asked, as in Fleet'],
    ['name', 'docker.io/nginx', 'docker.io/nginx', 'the name is right in this spelling'],
    ['name', 'ghcr.io/acme/app', 'nginx', 'the name alone'],
    ['name', 'nginx:1.0', 'nginx', 'a scalar with this marker holds no tag'],
    ['tag', '1.0', '1.3', 'the tag alone'],
    ['tag', 'nginx:1.0', '1.3', 'whatever was there'],
    ['digest', 'nginx:1.0', `nginx:1.3@${NEW}`, 'all of it'],
    ['sha', OLD, NEW, 'the digest alone'],
    ['image', 'nginx:1.0', 'index.docker.io/library/nginx:1.3', 'as Fleet writes it', AS_FLEET],
    ['name', 'nginx', 'index.docker.io/library/nginx', 'also the name alone', AS_FLEET],
    ['tag', '1.0', '1.3', 'which makes no difference to a tag', AS_FLEET],
    ['digest', 'nginx', `index.docker.io/library/nginx:1.3@${NEW}`, 'also before a digest', AS_FLEET],
  ];
  for (const [form, current, expected, why, value = NGINX] of rows) {
    it(`:${form} of "${current.replace(OLD, 'OLD')}" with ${value.name}: ${why}`, () =>
      assert.equal(scalarText(form, value, current), expected));
  }
});
