import { expect, test } from 'vitest';
import { LOOK_EVERY_MS, SharedLooks } from '../../../src/control/replica/shared-looks.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

test('however many ask of a replica, it is looked at once in a while, and after each of them has asked', async () => {
  const clock = new VirtualClock();
  const looks: number[] = [];
  const life = new AbortController();
  const shared = new SharedLooks({ clock, life: life.signal }, async (endpoint) => {
    if (endpoint === 'shop-1') looks.push(clock.now());
    return clock.now();
  });
  const answers: { askedAt: number; seenAt: Promise<number> }[] = [];
  for (let ms = 0; ms < 1000; ms++) {
    answers.push({ askedAt: clock.now(), seenAt: shared.look('shop-1') });
    await clock.advanceAsync(1);
  }
  await clock.advanceAsync(LOOK_EVERY_MS);
  expect(looks).toEqual(Array.from({ length: 1000 / LOOK_EVERY_MS + 1 }, (_, at) => at * LOOK_EVERY_MS));
  for (const { askedAt, seenAt } of answers) expect(await seenAt).toBeGreaterThanOrEqual(askedAt);
  // Who asks of another one, or after a pause, waits for nobody.
  expect(await shared.look('blog-1')).toBe(clock.now());
  await clock.advanceAsync(LOOK_EVERY_MS);
  expect(await shared.look('shop-1')).toBe(clock.now());
});
