import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { commandNames, commands } from '../../src/cli/commands.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

test('help lists every command on stdout and exits 0', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['help'], noProgram, terminal)).toBe(0);
  const text = terminal.stdout.join('\n');
  for (const name of commandNames) expect(text).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test.each(commandNames)('help %s shows its options', async (name) => {
  const terminal = fakeTerminal();
  expect(await runCli(['help', name], noProgram, terminal)).toBe(0);
  expect(terminal.stdout.join('\n')).toMatch(new RegExp(`^usage: pilotlight ${name}`));
});

test('help of what does not exist is wrong usage', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['help', 'wak'], noProgram, terminal)).toBe(2);
  expect(terminal.stderr).toEqual(['pilotlight: unknown command "wak" (did you mean "wake"?)']);
  expect(terminal.stdout).toEqual([]);
});

test('version is that of the package', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['version'], noProgram, terminal)).toBe(0);
  expect(terminal.stdout[0]).toMatch(/^\d+\.\d+\.\d+/);
});

test('a log level that does not exist is wrong usage', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['demo', '--log-level', 'loud'], noProgram, terminal)).toBe(2);
  expect(terminal.stderr[0]).toContain('--log-level is one of debug, info, warn, error, silent, not "loud"');
});

test('as JSON it tells of Node too', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['version', '--json'], noProgram, terminal)).toBe(0);
  expect(JSON.parse(terminal.stdout.join(''))).toEqual({ version: expect.any(String), node: process.version });
});

test('every command that answers something can do so as JSON', () => {
  const others = ['run', 'demo', 'hash-password', 'completion', 'help'];
  const without = commandNames.filter((name) => !(commands[name].options as readonly string[]).includes('json'));
  expect(without).toEqual(others);
});
