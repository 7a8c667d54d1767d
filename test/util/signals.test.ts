import { expect, test } from 'vitest';
import { signalOf } from '../../src/util/signals.ts';

test.each([
  [134, 'SIGABRT'],
  [137, 'SIGKILL'],
  [143, 'SIGTERM'],
  [128, undefined],
  [1, undefined],
])('exit code %i is told with the usual name of its signal: %s', (exitCode, name) => {
  expect(signalOf(exitCode)).toBe(name);
});
