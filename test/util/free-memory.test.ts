import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freeAfterBoot } from '../../src/util/free-memory.ts';

test('what the boot with many services left behind is collected', async () => {
  const garbage = new WeakRef({ of: 'the boot' });
  // What a WeakRef points to lives until the end of the turn in which it was made.
  await nextTurn();
  freeAfterBoot(10_000);
  expect(garbage.deref()).toBeUndefined();
});

test('nothing of it stays within reach of others', () => {
  freeAfterBoot(10_000);
  expect(globalThis.gc).toBeUndefined();
});
