import { expect, test } from 'vitest';
import { unlessAborted, withDeadline } from '../../src/util/abort.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';

const never = new AbortController().signal;
const hangs = () => new Promise<never>(() => undefined);
const late = () => new Error('late');

test('work that ends first is what counts, also when it fails', async () => {
  expect(await unlessAborted(Promise.resolve(1), never)).toBe(1);
  await expect(unlessAborted(Promise.reject(new Error('failed')), never)).rejects.toThrow('failed');
});

test('an abort ends the wait, before or while the work goes on', async () => {
  await expect(unlessAborted(hangs(), AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  const abort = new AbortController();
  const waiting = unlessAborted(hangs(), abort.signal);
  abort.abort(new Error('over'));
  await expect(waiting).rejects.toThrow('over');
});

test('a call that takes its time is told, and not waited for', async () => {
  const clock = new VirtualClock();
  let told: AbortSignal | undefined;
  const call = withDeadline(clock, 1000, never, late, (signal) => {
    told = signal;
    return hangs();
  });
  const ended = call.catch((thrown: Error) => thrown.message);
  await clock.advanceAsync(999);
  expect(told?.aborted).toBe(false);
  await clock.advanceAsync(1);
  expect(told?.reason).toEqual(new Error('late'));
  expect(await ended).toBe('late');
});

test('whoever calls a call off gives the reason, whatever the call makes of it', async () => {
  const abort = new AbortController();
  const call = withDeadline(new VirtualClock(), 1000, abort.signal, late, (signal) =>
    unlessAborted(hangs(), signal).catch(() => Promise.reject(new Error('its own'))),
  );
  abort.abort(new Error('called off'));
  await expect(call).rejects.toThrow('called off');
  await expect(withDeadline(new VirtualClock(), 1000, abort.signal, late, hangs)).rejects.toThrow('called off');
});
