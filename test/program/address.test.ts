import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressError, parseAddress } from '../../program/address.ts';

describe('parseAddress', () => {
  const rows: [text: string, host: string | undefined, port: number, why: string][] = [
    [':9443', undefined, 9443, 'all interfaces, of IPv4 alone where there is no other'],
    [':0', undefined, 0, 'a port of the system’s choice'],
    [':65535', undefined, 65_535, 'the last port'],
    ['127.0.0.1:80', '127.0.0.1', 80, 'IPv4'],
    ['localhost:80', 'localhost', 80, 'a name'],
    ['[::1]:80', '::1', 80, 'IPv6 in brackets, which are none of the address'],
    ['[::]:80', '::', 80, 'all of IPv6'],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80, 'IPv4 within IPv6'],
  ];
  for (const [text, host, port, why] of rows) {
    it(`${text}: ${why}`, () => assert.deepEqual(parseAddress(text), { host, port }));
  }

  const wrong: [text: string, why: string][] = [
    ['', 'nothing'],
    ['9443', 'a port without its colon'],
    ['localhost', 'no port'],
    ['localhost:', 'an empty port'],
    [':65536', 'a port beyond the last'],
    [':-1', 'a negative one'],
    [':http', 'a name of one'],
    ['::1:80', 'IPv6 without brackets'],
    ['[::1]', 'IPv6 without port'],
    ['[::1:80', 'half a bracket'],
    ['[host]:80', 'a name in brackets'],
    ['a b:80', 'a space'],
    [':80\n', 'a line end'],
    ['http://localhost:80', 'a URL'],
  ];
  for (const [text, why] of wrong) {
    it(`refuses ${JSON.stringify(text)}: ${why}`, () =>
      assert.throws(
        () => parseAddress(text),
        (error: unknown) =>
          error instanceof AddressError &&
          error.code === 'InvalidAddress' &&
          error.message === `"${text}" is no address; write it as host:port or :port`,
      ));
  }
});
