import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isObjectName } from '../../../kube/kinds/object-name.ts';
import { labelFor, namesFor } from '../../../reconciler/definitions/names.ts';

/** What a label takes as its value, by the Kubernetes docs. */
const LABEL = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const dnsName = fc
  .stringMatching(/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?){0,3}$/)
  .filter(isObjectName);

describe('names of ImageScans', () => {
  it('say the GitRepo and the tagName where they can', () => {
    assert.equal(namesFor('apps', 'web')[0], 'apps-web');
    assert.equal(namesFor('apps', 'web.v2')[0], 'apps-web.v2');
    assert.match(namesFor('apps', 'web')[1] ?? '', /^apps-web-[0-9a-f]{10}$/);
    for (const [tagName, pattern] of [
      ['Web', /^apps-web-[0-9a-f]{10}$/],
      ['a/b', /^apps-a-b-[0-9a-f]{10}$/],
      ['x'.repeat(300), /^apps-x{237}-[0-9a-f]{10}$/],
      ['ü', /^apps-[0-9a-f]{10}$/],
    ] as const)
      assert.match(namesFor('apps', tagName).join(), pattern);
  });

  it('are valid, and differ where a GitRepo or tagName does', () => {
    const given = fc.tuple(dnsName, fc.string({ minLength: 1, maxLength: 300 }));
    fc.assert(
      fc.property(given, given, ([repo, tag], [otherRepo, otherTag]) => {
        for (const name of namesFor(repo, tag)) assert.ok(isObjectName(name), name);
        fc.pre(repo !== otherRepo || tag !== otherTag);
        assert.notEqual(namesFor(repo, tag).at(-1), namesFor(otherRepo, otherTag).at(-1));
      }),
    );
  });
});

describe('the label', () => {
  it('is the name of the GitRepo, or a short form that no other has', () => {
    assert.equal(labelFor('apps'), 'apps');
    const long = `${'a'.repeat(51)}.${'b'.repeat(60)}`;
    assert.match(labelFor(long), /^a{51}-[0-9a-f]{10}$/);
    assert.notEqual(labelFor(long), labelFor(`${long}c`));
    fc.assert(fc.property(dnsName, (name) => LABEL.test(labelFor(name))));
  });
});
