import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../core/errors.ts';
import { bareEnvironment, type GitContext } from './environment.ts';
import { GitError } from './errors.ts';
import { oneLine } from './failure.ts';
import { runProgram } from './process.ts';

/** What is wrong with a private key; the message is to follow the name of where it stands. */
export class KeyError extends CodedError<'InvalidKey'> {}

const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----\n([\s\S]+)\n-----END \1-----$/;
const PUBLIC_LINE = /^(?:ssh-|ecdsa-|sk-)\S+ AAAA/;

/**
 * Checks that a text is a private key in one of OpenSSH's formats or in PEM, and repairs its line ends: OpenSSH reads neither
 * CRLF nor a key whose last newline is missing.
 *
 * @throws {KeyError}
 */
export function checkPrivateKey(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').trim();
  const [, label = '', body = ''] = PEM.exec(lines) ?? [];
  if (label.endsWith('PRIVATE KEY') && body.trim() !== '') return `${lines}\n`;
  throw new KeyError('InvalidKey', whatElse(lines, label));
}

function whatElse(text: string, label: string): string {
  if (text === '') return 'is empty';
  if (label.endsWith('PUBLIC KEY') || PUBLIC_LINE.test(text)) {
    return 'holds a public key; it must be the private one';
  }
  if (text.startsWith('PuTTY-User-Key-File')) {
    return 'is a key of PuTTY; convert it with: puttygen key.ppk -O private-openssh -o key';
  }
  if (Buffer.from(text, 'base64').toString().startsWith('-----BEGIN')) {
    return 'is encoded in base64 twice; encode it once, or use stringData';
  }
  if (label !== '') return `holds a ${label}; it must be a private key`;
  if (/^-----BEGIN [^\n]*PRIVATE KEY-----/.test(text)) {
    return 'is a private key that is cut off, or has lost its line breaks';
  }
  return 'is no private key: it does not begin with -----BEGIN … PRIVATE KEY-----';
}

const MAGIC = 'openssh-key-v1\0';

/** Whether a key that {@link checkPrivateKey} gave has a passphrase. */
export function isEncrypted(privateKey: string): boolean {
  if (!privateKey.startsWith('-----BEGIN OPENSSH')) return privateKey.includes('ENCRYPTED');
  const body = Buffer.from(privateKey.split('\n').slice(1, -2).join(''), 'base64');
  // PROTOCOL.key of OpenSSH: the magic, then the name of the cipher with its length before it.
  if (body.toString('latin1', 0, MAGIC.length) !== MAGIC) return false;
  const cipher = body.toString('latin1', MAGIC.length + 4, MAGIC.length + 8);
  return cipher !== 'none';
}

/**
 * Writes a private key to a file in a folder of {@link withPrivateFolder}, without its passphrase, which no program that
 * runs in batch mode could ask for.
 *
 * @returns the file
 * @throws {GitError} `InvalidKey` when the passphrase is missing or wrong
 */
export async function writePrivateKey(
  context: GitContext,
  folder: string,
  { privateKey, passphrase }: { privateKey: string; passphrase?: string },
): Promise<string> {
  const file = path.join(folder, 'key');
  await writeFile(file, privateKey, { mode: 0o600 });
  if (!isEncrypted(privateKey)) return file;
  if (!passphrase) throw new GitError('InvalidKey', 'the private key has a passphrase, which is not given');
  const environment = bareEnvironment(context.environment);
  // The new passphrase, none, is an argument; the old one is not, since others see the arguments.
  const args = ['-p', '-N', '', '-f', file];
  const { code, stderr } = await runProgram({ command: 'ssh-keygen', args, environment }, context, [
    `${passphrase}\n`,
  ]);
  if (code === 0) return file;
  const isWrong = stderr.includes('incorrect passphrase');
  const why = isWrong
    ? 'the passphrase of the private key is wrong'
    : oneLine(stderr).replaceAll(file, 'key');
  throw new GitError('InvalidKey', isWrong ? why : `the private key cannot be read: ${why}`);
}
