import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  type Marker,
  MarkerError,
  type MarkerErrorCode,
  parseAnnotationMarker,
  parseCommentMarker,
  unknownFormError,
} from '../../core/marker.ts';

/** The readings of a marker as `[namespace|]tagName form`, the bar in place of the slash, which a tagName may have. */
function readings(marker: Marker | undefined): string[] | undefined {
  return marker?.readings.map(({ namespace, tagName, form }) =>
    [...(namespace === undefined ? [] : [namespace]), `${tagName} ${form}`].join('|'),
  );
}

function isRefused(code: MarkerErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MarkerError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(error.message.length < 300);
    return true;
  };
}

describe('an annotation marker', () => {
  const rows: [text: string, expected: string[], why: string][] = [
    ['app', ['app image'], 'a name alone is the image'],
    ['app:name', ['app:name image', 'app name'], 'a suffix may be part of a tagName, which comes first'],
    ['app:tag', ['app:tag image', 'app tag'], 'likewise'],
    ['app:digest', ['app:digest image', 'app digest'], 'likewise'],
    ['app:sha', ['app:sha image', 'app sha'], 'likewise'],
    ['app:tag:tag', ['app:tag:tag image', 'app:tag tag'], 'the last suffix is the form'],
    ['app:TAG', ['app:TAG image'], 'forms are in small letters, as in Fleet'],
    ['app:foo', ['app:foo image'], 'no form, so it can only be a tagName'],
    ['app:', ['app: image'], 'nor is an empty suffix'],
    [':tag', [':tag image'], 'without a name there is no form'],
    ['infra/app', ['infra|app image'], 'a slash sets the namespace apart'],
    ['infra/app:tag', ['infra|app:tag image', 'infra|app tag'], 'with a form, too'],
    ['infra/a/b', ['infra|a/b image'], 'the first slash does; the rest is the tagName'],
    ['a~1b', ['a/b image'], "a tagName's own slash is escaped"],
    ['a~0b', ['a~b image'], 'and so is a tilde'],
    ['a~01b', ['a~1b image'], 'an escaped tilde is not the beginning of another escape'],
    ['a%20b', ['a b image'], 'a URI escape'],
    ['a%7E1b', ['a/b image'], 'percent comes off first: the pointer stands in a URI fragment'],
    ['a%2Fb', ['a/b image'], 'an escaped slash sets nothing apart'],
    ['infra/a~1b:tag', ['infra|a/b:tag image', 'infra|a/b tag'], 'all of it together'],
    ['50%', ['50% image'], 'what is no URI escape stays'],
    ['a%ff', ['a%ff image'], 'what is no UTF-8 stays'],
    ['a~2', ['a~2 image'], 'what is no pointer escape stays'],
    ['  app \n', ['app image'], 'space around it is dropped, since YAML block scalars leave some'],
    ['{"$imagescan": "app"}', ['app image'], 'the JSON of a comment'],
    [' {"$imagescan":"app:tag","note":"x"} ', ['app:tag image', 'app tag'], 'with other texts in it'],
    ['{"$imagescan": "a", "$imagescan": "b"}', ['b image'], 'of two keys the last, as JSON readers do'],
    ['{"__proto__": "x", "$imagescan": "app"}', ['app image'], 'a key that is special only to us'],
    ['__proto__', ['__proto__ image'], 'a name that is special only to us'],
    ['constructor:tag', ['constructor:tag image', 'constructor tag'], 'another'],
    ['app:constructor', ['app:constructor image'], 'which is no form either'],
  ];
  for (const [text, expected, why] of rows) {
    it(`${JSON.stringify(text)}: ${why}`, () =>
      assert.deepEqual(readings(parseAnnotationMarker(text)), expected));
  }

  const wrong: [text: string, message: RegExp, why: string][] = [
    ['', /names no scan/, 'empty'],
    [' \t', /names no scan/, 'blank'],
    ['{"$imagescan": ""}', /names no scan/, 'an empty name'],
    ['{"$imagescan": "app"', /is not JSON; write \{"\$imagescan": "NAME"\}/, 'a brace is missing'],
    ["{'$imagescan': 'app'}", /is not JSON/, 'single quotes'],
    ['{$imagescan: app}', /is not JSON/, 'no quotes, as in YAML'],
    ['{"$imagescan": "app"} # x', /is not JSON/, 'something after it'],
    ['{}', /has no "\$imagescan"/, 'no key of ours'],
    ['{"$imagepolicy": "a:b"}', /has no "\$imagescan"/, "Flux's key"],
    [
      '{"__proto__": {"$imagescan": "app"}}',
      /the value of "__proto__" is not a string/,
      'a key that would be inherited',
    ],
    ['{"$imagescan": 1}', /the value of "\$imagescan" is not a string/, 'a number'],
    ['{"$imagescan": null}', /has no "\$imagescan"/, 'null is as good as absent'],
    ['{"$imagescan": ["app"]}', /the value of "\$imagescan" is not a string/, 'a list'],
    ['{"$imagescan": "app", "x": true}', /the value of "x" is not a string/, 'another value, as in Fleet'],
    ['{"x\\u0007\\ny": 1}', /the value of "x y" is not a string/, 'a key that would break the message'],
  ];
  for (const [text, message, why] of wrong) {
    it(`refuses ${JSON.stringify(text)}: ${why}`, () =>
      assert.throws(() => parseAnnotationMarker(text), isRefused('InvalidMarker', message)));
  }

  it('leaves the prototype of objects alone', () => {
    parseAnnotationMarker('{"$imagescan": "app", "__proto__": "polluted"}');
    parseAnnotationMarker('{"$imagescan": "app", "constructor": "polluted"}');
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
    assert.equal({}.constructor, Object);
  });

  it('takes anything, and throws no other error', () => {
    const unit = fc.constantFrom(
      'app',
      ':',
      '/',
      '~',
      '~1',
      '%',
      '%20',
      '{',
      '}',
      '"',
      '$imagescan',
      ' ',
      '\n',
      ',',
      '[',
      '1',
    );
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit }), fc.json());
    fc.assert(
      fc.property(texts, (text) => {
        try {
          assert.equal(parseAnnotationMarker(text).readings.at(-1) === undefined, false);
        } catch (error) {
          assert.ok(error instanceof MarkerError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is found by the name that was escaped for it', () => {
    const tagName = fc.string({ minLength: 1 }).filter((name) => name.isWellFormed());
    fc.assert(
      fc.property(tagName, (name) => {
        const escaped = encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
        assert.equal(parseAnnotationMarker(`${escaped}:tag`).readings[1]?.tagName, name);
      }),
    );
  });

  it('takes no longer over a huge text than its length warrants', { timeout: 5000 }, () => {
    const huge = 500_000;
    for (const piece of ['a', ':tag', '/', '~1', '~', '%20', '%', ' ', '{', '{"a":', '[', '\\']) {
      for (const text of [
        piece.repeat(huge),
        `{"$imagescan": "${piece.repeat(huge)}"}`,
        `{${piece.repeat(huge)}`,
      ]) {
        try {
          parseAnnotationMarker(text);
        } catch (error) {
          isRefused('InvalidMarker', /./)(error);
        }
      }
    }
  });
});

describe('a comment marker', () => {
  const rows: [comment: string, expected: string[], why: string][] = [
    ['# {"$imagescan": "app"}', ['app image'], 'as Fleet writes it'],
    ['#{"$imagescan":"app"}', ['app image'], 'no space'],
    ['### \t {  "$imagescan" : "app"  }  ', ['app image'], 'many signs and spaces'],
    ['# {"$imagescan": "app", "x": null}', ['app image'], 'Go reads null as an empty text'],
    [' {"$imagescan": "app:tag", "x": "y"}', ['app:tag image', 'app tag'], 'the signs already gone'],
  ];
  for (const [comment, expected, why] of rows) {
    it(`${JSON.stringify(comment)}: ${why}`, () =>
      assert.deepEqual(readings(parseCommentMarker(comment)), expected));
  }

  for (const comment of [
    '',
    '# nothing of ours',
    '# $imagescan app',
    '# {"$imagepolicy": "a:b"}',
    '# {"$IMAGESCAN": "app"}',
  ]) {
    it(`${JSON.stringify(comment)} is none`, () => assert.equal(parseCommentMarker(comment), undefined));
  }

  const wrong: [comment: string, message: RegExp, why: string][] = [
    ['# # {"$imagescan": "app"}', /is not JSON/, 'a sign in the text'],
    ["# {'$imagescan': 'app'}", /is not JSON/, 'the wrong quotes'],
    ['# {$imagescan: app}', /is not JSON/, 'no quotes, as in YAML'],
    ['# { $imagescan : "app"}', /is not JSON/, 'likewise, with spaces'],
    ['# {"$imagescan: app}', /is not JSON/, 'a quote is missing'],
    ['# see {"$imagescan": "app"}', /is not JSON/, 'text before'],
    ['# {"$imagescan": "app"} here', /is not JSON/, 'text after'],
    ['# "$imagescan"', /is not a JSON object/, 'a JSON text'],
    ['# ["$imagescan"]', /is not a JSON object/, 'a JSON list'],
    ['# {"$imagescan": {"name": "app"}}', /the value of "\$imagescan" is not a string/, 'an object'],
  ];
  for (const [comment, message, why] of wrong) {
    it(`refuses ${JSON.stringify(comment)}: ${why}`, () =>
      assert.throws(() => parseCommentMarker(comment), isRefused('InvalidMarker', message)));
  }
});

describe('unknownFormError', () => {
  const rows: [text: string, message: string | undefined, why: string][] = [
    [
      'app:foo',
      '"foo" is no form of a marker; use :name, :tag, :digest, :sha or none',
      'a suffix that is none',
    ],
    ['app:', '"" is no form of a marker; use :name, :tag, :digest, :sha or none', 'nothing after the colon'],
    ['app:tag', undefined, 'a form'],
    ['app', undefined, 'no suffix'],
    [':foo', undefined, 'no name before it'],
    ['app:\u0007x', '" x" is no form of a marker; use :name, :tag, :digest, :sha or none', 'on one line'],
  ];
  for (const [text, message, why] of rows) {
    it(`${JSON.stringify(text)}: ${why}`, () => {
      const error = unknownFormError(parseAnnotationMarker(text));
      assert.equal(error?.message, message);
      assert.equal(error?.code, message && 'UnknownForm');
    });
  }
});
