import { expect, test } from 'vitest';
import { TIME_FORMS } from '../../../src/simulate/spec/forms.ts';
import { readTime } from '../../../src/simulate/spec/time-spec.ts';

test.each(TIME_FORMS)('%s is a time', (form) => {
  expect(readTime(form).meanMs).toBeGreaterThan(0);
});

test.each(['20', 'exponential', 'normal:20ms:1', 'pareto:5ms:0:1s', 'pareto:5ms:1:1ms', 'uniform:9ms:1ms', '1s:2s'])(
  '%s is refused',
  (text) => {
    expect(() => readTime(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);
