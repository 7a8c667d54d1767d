import { expect, test } from 'vitest';
import { readApp } from '../../../src/simulate/spec/app-spec.ts';
import { APP_FORMS } from '../../../src/simulate/spec/forms.ts';

test.each(APP_FORMS)('%s is a part of an app', (form) => {
  expect(readApp(form).app.slots).toBeGreaterThan(0);
});

test('what is not said is assumed, and told', () => {
  const { app, start, assumed } = readApp(undefined);
  expect([app.slots, app.serviceTime.meanMs, start.startMs]).toEqual([8, 20, 1000]);
  expect(assumed).toHaveLength(3);
  expect(readApp('time:5ms,slots:2,start:1s').assumed).toEqual([]);
});

test('parts become the model', () => {
  const { app, start } = readApp('time:5ms,slots:2,cpu,database:5:8ms,shed:20,errors:50%:800ms,warm-up:3x/10s,stop:1s');
  expect(app).toMatchObject({
    serviceTime: { meanMs: 5 },
    slots: 2,
    sharesProcessor: true,
    shared: { connections: 5, serviceTime: { meanMs: 8 } },
    shedsAbove: 20,
    errors: { share: 0.5, serviceTime: { meanMs: 800 } },
    warmUp: { factor: 3, forMs: 10_000 },
  });
  expect(start.stopMs).toBe(1000);
});

test('all the time of a request is spent with the lock where the lock has none of its own', () => {
  expect(readApp('time:5ms,lock').app).toMatchObject({
    serviceTime: { meanMs: 0 },
    shared: { connections: 1, serviceTime: { meanMs: 5 } },
  });
});

test.each(['', 'fast', 'time', 'cpu:2', 'slots:0', 'slots:1,slots:2', 'lock,database:5', 'errors:150%', 'warm-up:3x'])(
  '"%s" is refused',
  (text) => {
    expect(() => readApp(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);
