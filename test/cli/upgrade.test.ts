import { expect, test } from 'vitest';
import type { RunningProxy } from '../../src/cli/running-proxy.ts';
import { upgrade } from '../../src/cli/upgrade.ts';
import { fakeTerminal } from './fake-terminal.ts';

/** Says when its sockets are asked for, which is when a successor is started, and lets that fail. */
function proxyThatDrains() {
  const gone = Promise.withResolvers<void>();
  const happened: string[] = [];
  const proxy = {
    alone: (signal: AbortSignal) => {
      signal.addEventListener('abort', () => gone.reject(signal.reason));
      return gone.promise;
    },
    get sockets(): number[] {
      happened.push('start');
      throw new Error('far enough');
    },
    resume: async () => void happened.push('resume'),
  } as unknown as RunningProxy;
  return { proxy, happened, end: () => gone.resolve() };
}

test('no successor is started before the process that this one replaced has ended', async () => {
  const { proxy, happened, end } = proxyThatDrains();
  const upgraded = upgrade(proxy, fakeTerminal(), new AbortController().signal);
  await new Promise(setImmediate);
  expect(happened).toEqual([]);
  end();
  await expect(upgraded).rejects.toThrow('far enough');
  expect(happened).toEqual(['start']);
});

test('as the first process of a container, which ends with it, it goes on', async () => {
  const { proxy, happened } = proxyThatDrains();
  expect(await upgrade(proxy, fakeTerminal(), new AbortController().signal, true)).toBeUndefined();
  expect(happened).toEqual(['resume']);
});

test('told to stop while it waits for that end, it starts none', async () => {
  const { proxy, happened } = proxyThatDrains();
  const stop = new AbortController();
  const upgraded = upgrade(proxy, fakeTerminal(), stop.signal);
  stop.abort();
  expect(await upgraded).toBeUndefined();
  expect(happened).toEqual([]);
});
