import assert from 'node:assert/strict';
import { it } from 'node:test';
import { age } from '../../kubectl-plugin/age.ts';

// Milliseconds, and what HumanDuration of k8s.io/apimachinery v0.36.3 says of them.
const CASES: readonly (readonly [number, string])[] = [
  [-31536000000, '<invalid>'],
  [-2000, '<invalid>'],
  [-1999, '0s'],
  [-1000, '0s'],
  [-1, '0s'],
  [0, '0s'],
  [999, '0s'],
  [1000, '1s'],
  [59000, '59s'],
  [60000, '60s'],
  [90000, '90s'],
  [119999, '119s'],
  [120000, '2m'],
  [120001, '2m'],
  [121000, '2m1s'],
  [599999, '9m59s'],
  [599000, '9m59s'],
  [600000, '10m'],
  [659000, '10m'],
  [3540000, '59m'],
  [3600000, '60m'],
  [10799000, '179m'],
  [10800000, '3h'],
  [10860000, '3h1m'],
  [10859000, '3h'],
  [28799000, '7h59m'],
  [28800000, '8h'],
  [32340000, '8h'],
  [172740000, '47h'],
  [172800000, '2d'],
  [176400000, '2d1h'],
  [176340000, '2d'],
  [691140000, '7d23h'],
  [691200000, '8d'],
  [774000000, '8d'],
  [31449600000, '364d'],
  [31536000000, '365d'],
  [63071999000, '729d'],
  [63072000000, '2y'],
  [63158400000, '2y1d'],
  [63154800000, '2y'],
  [252284400000, '7y364d'],
  [252288000000, '8y'],
  [283737600000, '8y'],
  [630720000000, '20y'],
];

it('writes ages as kubectl does', () => {
  assert.deepEqual(
    CASES.map(([milliseconds]) => [milliseconds, age(milliseconds)]),
    CASES,
  );
});
