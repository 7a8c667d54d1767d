import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/util/clock.ts';

test('a moment that has passed comes at once, in a turn of its own, and Node has nothing to warn of', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  let fired = false;
  const passed = new Promise<void>((resolve) => {
    systemClock.after(-2.7, () => {
      fired = true;
      resolve();
    });
  });
  expect(fired).toBe(false);
  await passed;
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});
