import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerError, ApiError, KubeconfigError } from '../../kube/errors.ts';
import { errorText, UsageError } from '../../kubectl-plugin/failure.ts';
import { status } from '../fakes/apiserver.ts';

describe('an error', () => {
  it('of the server is told in the words of kubectl', () => {
    const notFound = status(404, 'NotFound', 'imagescans.fleetscan.io "web" not found', { name: 'web' });
    assert.equal(
      errorText(answerError(404, JSON.stringify(notFound))),
      'Error from server (NotFound): imagescans.fleetscan.io "web" not found',
    );
    const forbidden = status(403, 'Forbidden', 'User "ann" cannot list');
    assert.equal(
      errorText(answerError(403, JSON.stringify(forbidden))),
      'Error from server (Forbidden): User "ann" cannot list',
    );
    const unauthorized = status(401, 'Unauthorized', 'Unauthorized');
    assert.equal(
      errorText(answerError(401, JSON.stringify(unauthorized))),
      'error: You must be logged in to the server (Unauthorized)',
    );
    assert.equal(
      errorText(answerError(502, 'bad gateway')),
      'Error from server: the API server answered HTTP 502: bad gateway',
    );
  });

  it('of a server without our kinds says so', () => {
    const text =
      'error: the server does not have the resources of fleetscan.io/v1alpha1; is Fleetscan installed in this cluster?';
    assert.equal(errorText(answerError(404, '404 page not found')), text);
  });

  it('of our own begins with "error:"', () => {
    assert.equal(errorText(new UsageError('Usage', 'use either')), 'error: use either');
    assert.equal(errorText(new KubeconfigError('UnknownContext', 'no context')), 'error: no context');
    assert.equal(errorText(new ApiError('Unreachable', 'cannot reach it')), 'error: cannot reach it');
  });

  it('that is a mistake of ours says where it happened', () => {
    assert.match(
      errorText(new TypeError('x is not a function')),
      /^error: TypeError: x is not a function\n +at /,
    );
    assert.equal(errorText('thrown text'), 'error: thrown text');
  });
});
