import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { isPasswordOf, type PasswordHash, parsePasswordHash } from '../../src/util/password-hash.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

function typing(...chunks: (string | Buffer)[]): FakeTerminal {
  return fakeTerminal({
    input: async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk as string);
    },
  });
}

const hash = (terminal: FakeTerminal) => runCli(['hash-password'], noProgram, terminal);

test('prints a hash that only the password fits, in the form that the configuration takes', async () => {
  const terminal = typing('pä', 'ss word\n');
  expect(await hash(terminal)).toBe(0);
  expect(terminal.stdout).toHaveLength(1);
  expect(terminal.stdout[0]).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  const parsed = parsePasswordHash(terminal.stdout[0] as string) as PasswordHash;
  expect(await isPasswordOf(parsed, Buffer.from('päss word'))).toBe(true);
  expect(await isPasswordOf(parsed, Buffer.from('pass word'))).toBe(false);
  expect(terminal.stderr).toEqual([]);
});

test('the same password has another hash each time', async () => {
  const [one, two] = [typing('same'), typing('same\r\n', 'a second line')];
  await Promise.all([hash(one), hash(two)]);
  expect(one.stdout[0]).not.toBe(two.stdout[0]);
  const parsed = parsePasswordHash(two.stdout[0] as string) as PasswordHash;
  expect(await isPasswordOf(parsed, Buffer.from('same'))).toBe(true);
});

test.each([
  ['nothing', [], 'there is no password on standard input'],
  ['an empty line', ['\n', 'later'], 'there is no password on standard input'],
  ['a control character', ['a\tb\n'], 'the password holds control characters'],
  ['more than a field can carry', ['x'.repeat(1025)], 'the password is longer than 1024 bytes'],
  ['no end of it', ['x'.repeat(3000), 'y'], 'the password is longer than 1024 bytes'],
])('%s is refused in one line', async (_name, chunks, message) => {
  const terminal = typing(...chunks);
  expect(await hash(terminal)).toBe(1);
  expect(terminal.stderr).toEqual([`pilotlight: ${message}`]);
  expect(terminal.stdout).toEqual([]);
});
