import { expect, test } from 'vitest';
import { proveReady, type ReadinessContext } from '../../../src/control/replica/start-sequence.ts';
import type { Instance, Listener } from '../../../src/model/runtime.ts';
import type { HostPort } from '../../../src/model/settings.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeRuntime } from '../support/fake-runtime.ts';
import { testService } from '../support/settings.ts';

const never = new AbortController().signal;

/** A replica on the port of which `::1` answers first, and what is asked of the edge and the runtime meanwhile. */
function stage(listener: Listener | undefined, later: Listener | undefined = { by: 'replica' }) {
  const clock = new VirtualClock();
  const runtime = new FakeRuntime(clock);
  const owner = {
    ...runtime,
    inspect: (id: string) => runtime.inspect(id),
    listener: async (_: string, { host }: HostPort) => (host === '::1' ? listener : later),
  };
  const asked: (string | undefined)[] = [];
  const { ready } = testService('a');
  const context: ReadinessContext = {
    clock,
    probe: async ({ otherHost }) => {
      asked.push(otherHost);
      return { ok: true, host: otherHost ?? '127.0.0.1' };
    },
    runtime: owner as unknown as ReadinessContext['runtime'],
    service: 'a',
    endpoint: 'a-1#1',
    ready,
    check: { kind: 'connect' },
    attempt: {},
  };
  const instance: Instance = { ...runtime.launch('a', 1, 'h'), otherHost: '::1' };
  return { context, instance, asked };
}

test('a replica that listens on the other loopback address is ready there', async () => {
  const { context, instance } = stage({ by: 'replica' });
  expect(await proveReady(context, instance, never)).toBe('::1');
});

test('what another program answers there is not waited on: the replica is looked for where the runtime says', async () => {
  const { context, instance, asked } = stage({ by: 'stranger', pid: 7 });
  expect(await proveReady(context, instance, never)).toBe('127.0.0.1');
  expect(asked).toEqual(['::1', undefined]);
});

test('where nobody can tell whose it is, the start fails with both addresses', async () => {
  const { context, instance } = stage(undefined);
  const port = instance.address?.port;
  await expect(proveReady(context, instance, never)).rejects.toMatchObject({
    code: 'IDENTITY_CHANGED',
    message: `what answers listens on [::1]:${port}, not on 127.0.0.1:${port}: it may be another program`,
  });
});
