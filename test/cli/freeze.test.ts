import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { fakeAdmin, service } from './fake-admin.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

test('freeze and unfreeze act on one service or on all, and say how each stands', async () => {
  const frozen = { until: '2026-01-01T01:00:00.000Z', reason: 'release' };
  const { url, asked } = await fakeAdmin(200, [service({ name: 'shop', frozen }), service({ name: 'blog' })]);
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
