import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { fakeAdmin } from './fake-admin.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const answer = { service: 'shop', from: 1, to: 3, min: 0, max: 4, limits: ['1 waits'], cooldownMs: 60_000 };

test('scale says from where to where, the bounds, the cooldown and what waits', async () => {
  const { url, asked } = await fakeAdmin(200, { ...answer, dryRun: false });
  const terminal = fakeTerminal();
  expect(await runCli(['scale', 'shop', '3', '--admin', url], noProgram, terminal)).toBe(0);
  expect(asked).toEqual(['POST /v1/services/shop/scale -']);
  expect(terminal.stdout).toEqual(['shop scales 1→3 (min 0, max 4), then left alone for 1m', '  1 waits']);
});

test('a dry run says what it would do', async () => {
  const { url } = await fakeAdmin(200, { ...answer, limits: [], dryRun: true });
  const terminal = fakeTerminal();
  expect(await runCli(['scale', 'shop', '3', '--dry-run', '--admin', url], noProgram, terminal)).toBe(0);
  expect(terminal.stdout).toEqual(['shop would scale 1→3 (min 0, max 4), then left alone for 1m']);
});

test('outside the bounds is one line and exit 1, what is no number wrong usage', async () => {
  const { url } = await fakeAdmin(422, { code: 'SCALE_OUT_OF_BOUNDS', detail: 'shop has from 1 (min) to 4 (max)' });
  const terminal = fakeTerminal();
  expect(await runCli(['scale', 'shop', '9', '--admin', url], noProgram, terminal)).toBe(1);
  expect(terminal.stderr).toEqual(['pilotlight: shop has from 1 (min) to 4 (max)']);
  expect(await runCli(['scale', 'shop', 'two', '--admin', url], noProgram, fakeTerminal())).toBe(2);
});
