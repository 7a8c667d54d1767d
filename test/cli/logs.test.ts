import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { fakeAdmin } from './fake-admin.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

async function cli(line: string, body: unknown) {
  const admin = await fakeAdmin(200, body);
  const terminal = fakeTerminal();
  const code = await runCli([...line.split(' '), '--admin', admin.url], noProgram, terminal);
  return { code, terminal, asked: admin.asked };
}

test('the last lines of each replica, under its name', async () => {
  const replicas = [
    { replica: 'shop-1', state: 'ready', lines: ['listening', 'GET /'] },
    { replica: 'shop-2', state: 'failed', lines: [] },
  ];
  const { terminal, asked } = await cli('logs shop --lines 2', replicas);
  expect(asked).toEqual(['GET /v1/services/shop/logs?lines=2 -']);
  expect(terminal.stdout).toEqual([
    'shop-1 (ready)',
    '  listening',
    '  GET /',
    'shop-2 (the last failed start)',
    '  wrote nothing',
  ]);
});

test('a service without replicas says so', async () => {
  expect((await cli('logs shop', [])).terminal.stdout).toEqual(['no replica of shop runs that Pilotlight started']);
});

test.each(['0', '1001', 'x', '1.5'])('--lines %s is wrong usage', async (lines) => {
  expect((await cli(`logs shop --lines ${lines}`, [])).code).toBe(2);
});

test('the log level is asked for and changed', async () => {
  const shown = await cli('log-level', { level: 'info' });
  expect([shown.asked, shown.terminal.stdout]).toEqual([['GET /v1/log-level -'], ['the log level is info']]);
  const set = await cli('log-level debug', { level: 'debug' });
  expect([set.asked, set.terminal.stdout]).toEqual([['POST /v1/log-level -'], ['the log level is now debug']]);
  expect((await cli('log-level loud', {})).code).toBe(2);
});
