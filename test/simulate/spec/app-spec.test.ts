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

test('replicas can be ill, and starts fail, as said', () => {
  const { app, start } = readApp('crash:30s:every:3,sick:1m:nothing:first:1,start-fails:30%');
  expect(app.crash).toEqual({ afterMs: 30_000, every: 3 });
  expect(app.sick).toEqual({ afterMs: 60_000, first: 1, answers: 'nothing' });
  expect(start.failShare).toBe(0.3);
  expect(readApp('sick:1m,start-fails:2')).toMatchObject({
    app: { sick: { afterMs: 60_000, answers: 'errors' } },
    start: { failsFirst: 2 },
  });
});

test('requests take other times from the moments on that are said', () => {
  const { app } = readApp('time:5ms,later:exponential:50ms@1m,later:5ms@2m,lock:1ms');
  expect(app.later).toMatchObject([
    { fromMs: 60_000, serviceTime: { meanMs: 50 } },
    { fromMs: 120_000, serviceTime: { meanMs: 5 } },
  ]);
});

test.each([
  ['later:5ms', 'expected another time from a moment on, such as later:200ms@5m, found "later:5ms"'],
  ['later:5ms@2m,later:6ms@1m', 'expected "later" in the order of time, found "later:6ms@1m"'],
  ['lock,later:5ms@2m', 'expected a time of its own for what is shared'],
  ['crash:30s:third', 'expected a crash such as crash:30s'],
  ['crash:30s:every', 'expected a crash such as crash:30s'],
  ['crash:30s:every:2:every:3', 'expected a crash such as crash:30s'],
  ['crash:30s:first:0', 'expected a number of replicas after "first", found "0"'],
  ['sick:1m:silence', 'expected a sickness such as sick:1m'],
  ['start-fails:some', 'expected a share such as 30%, or how many fail at first, found "some"'],
  ['start-fails:130%', 'expected at most 100%, found "130%"'],
])('%s is refused, with what was expected', (text, message) => {
  expect(() => readApp(text)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
  );
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
