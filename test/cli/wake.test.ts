import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { wakeService } from '../../src/cli/wake-sleep.ts';
import type { StartFailure } from '../../src/model/status.ts';
import { serviceStatus } from '../support/service-status.ts';
import { until } from '../support/until.ts';
import { fakeAdmin } from './fake-admin.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const never = new AbortController().signal;

const waking = serviceStatus({ name: 'shop', state: 'waking' });
const ready = serviceStatus({ name: 'shop', state: 'ready' });
const failure: StartFailure = {
  at: '2026-01-01T00:00:00.000Z',
  replica: 'shop-1',
  code: 'REPLICA_EXITED',
  message: 'it ended before it was ready (exit code 1)',
  exitCode: 1,
  output: ['Error: no database \u001b[2J'],
  probe: { address: '127.0.0.1:4000', result: 'connection refused' },
  inARow: 2,
  nextTryAt: null,
};
const failing = serviceStatus({ name: 'shop', state: 'failing', startFailure: failure });

/** Lets the pauses of a command pass until it has ended. */
async function passing(terminal: FakeTerminal, command: Promise<number>): Promise<number> {
  const done = command.then((code) => ({ code }));
  for (;;) {
    const ended = await Promise.race([
      done,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5)),
    ]);
    if (ended !== undefined) return ended.code;
    terminal.clock.advance(250);
  }
}

test('wake waits until the service is ready', async () => {
  const admin = await fakeAdmin(200, ready);
  admin.first.push(serviceStatus({ name: 'shop' }), waking, waking);
  const terminal = fakeTerminal();
  expect(await passing(terminal, wakeService('shop', { admin: admin.url }, terminal, never))).toBe(0);
  expect(terminal.stdout).toEqual(['shop is ready']);
  expect(admin.asked[1]).toBe('POST /v1/services/shop/wake -');
  expect(admin.asked.length).toBe(4);
});

test('what is ready already is not waited for', async () => {
  const { url, asked } = await fakeAdmin(200, ready);
  const terminal = fakeTerminal();
  expect(await wakeService('shop', { admin: url }, terminal, never)).toBe(0);
  expect(asked.length).toBe(2);
});

test('a failed start is exit 1 with its reason, in lines that do nothing to the terminal', async () => {
  const admin = await fakeAdmin(200, failing);
  // One that failed before is not this one.
  const before = { ...failure, at: '2025-12-31T00:00:00.000Z' };
  admin.first.push(serviceStatus({ name: 'shop', startFailure: before }), { ...waking, startFailure: before });
  const terminal = fakeTerminal();
  expect(await passing(terminal, wakeService('shop', { admin: admin.url }, terminal, never))).toBe(1);
  expect(terminal.stdout).toEqual([]);
  const [state, reason, output] = terminal.stderr;
  expect(state).toBe('shop is failing');
  expect(reason).toContain('REPLICA_EXITED: it ended before it was ready (exit code 1)');
  expect(reason).toContain('last probe of 127.0.0.1:4000: connection refused; 2 in a row');
  expect(output).toBe('  | Error: no database');
});

test('an engine that is out of reach is the reason, without a wait for a start that cannot be', async () => {
  const since = '2026-01-01T00:00:00.000Z';
  const troubles = [{ code: 'RUNTIME_UNREACHABLE' as const, message: 'no Docker engine at /x', since }];
  const { url } = await fakeAdmin(200, serviceStatus({ name: 'shop', state: 'failing', troubles }));
  const terminal = fakeTerminal();
  expect(await wakeService('shop', { admin: url }, terminal, never)).toBe(1);
  expect(terminal.stderr.join('\n')).toContain('no Docker engine at /x');
});

test('a service that neither starts nor says why is given up', async () => {
  const { url } = await fakeAdmin(200, serviceStatus({ name: 'shop', state: 'asleep' }));
  const terminal = fakeTerminal();
  expect(await passing(terminal, wakeService('shop', { admin: url }, terminal, never))).toBe(1);
  expect(terminal.stderr).toEqual(['shop is asleep']);
});

test('--timeout ends the wait, not the start', async () => {
  const { url } = await fakeAdmin(200, waking);
  const terminal = fakeTerminal();
  const command = wakeService('shop', { admin: url, timeout: '1s' }, terminal, never);
  expect(await passing(terminal, command)).toBe(1);
  expect(terminal.stderr).toEqual(['shop is waking after 1s; the start goes on']);
});

test('an interrupt ends the wait', async () => {
  const { url } = await fakeAdmin(200, waking);
  const terminal = fakeTerminal();
  const interrupt = new AbortController();
  const command = wakeService('shop', { admin: url }, terminal, interrupt.signal);
  await until('it waits', () => terminal.clock.pending === 1);
  interrupt.abort();
  expect(await command).toBe(1);
  expect(terminal.stderr).toEqual(['shop is waking; the start goes on']);
});

test('a time-out that is no duration is wrong usage', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['wake', 'shop', '--timeout', 'soon'], noProgram, terminal)).toBe(2);
  expect(terminal.stderr[0]).toContain('--timeout is a duration');
});
