import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { serviceStatus } from '../support/service-status.ts';
import { fakeAdmin } from './fake-admin.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

test('freeze and unfreeze act on one service or on all, and say how each stands', async () => {
  const frozen = { until: '2026-01-01T01:00:00.000Z', reason: 'release' };
  const { url, asked } = await fakeAdmin(200, [
    serviceStatus({ name: 'shop', frozen }),
    serviceStatus({ name: 'blog' }),
  ]);
  const terminal = fakeTerminal();
  const cli = (...line: string[]) => runCli([...line, '--admin', url], noProgram, terminal);
  expect(await cli('freeze', 'shop', '--for', '1h', '--reason', 'release')).toBe(0);
  expect(await cli('unfreeze')).toBe(0);
  expect(asked).toEqual(['POST /v1/services/shop/freeze -', 'POST /v1/unfreeze -']);
  expect(terminal.stdout.slice(0, 2)).toEqual([
    'shop is frozen until 2026-01-01T01:00:00.000Z (release)',
    'blog is not frozen',
  ]);
});

test('a dry run says how they would stand', async () => {
  const frozen = { until: '2026-01-01T01:00:00.000Z', reason: null };
  const { url } = await fakeAdmin(200, [serviceStatus({ name: 'shop', frozen }), serviceStatus({ name: 'blog' })]);
  const terminal = fakeTerminal();
  for (const command of ['freeze', 'unfreeze'])
    expect(await runCli([command, '--dry-run', '--admin', url], noProgram, terminal)).toBe(0);
  const lines = ['shop would be frozen until 2026-01-01T01:00:00.000Z', 'blog would not be frozen'];
  expect(terminal.stdout).toEqual([...lines, ...lines]);
});

test('while a new process takes over it is one line and exit 1', async () => {
  const { url } = await fakeAdmin(503, { code: 'HANDING_OVER', detail: 'a new process takes over just now' });
  const terminal = fakeTerminal();
  expect(await runCli(['freeze', '--admin', url], noProgram, terminal)).toBe(1);
  expect(terminal.stderr).toEqual(['pilotlight: a new process takes over just now']);
});
