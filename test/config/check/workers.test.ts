import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { aroundFile, aroundService, marked, problemsOf, settingsOf } from '../parse.ts';

const routed = 'routes: [{ path: / }]\nendpoints: { static: ["10.0.0.1:80"] }';

test('auto is one worker per core', () => {
  expect(settingsOf(aroundFile('workers: auto')).workers).toBe(availableParallelism());
  expect(settingsOf(aroundFile('workers: 3')).workers).toBe(3);
});

test.each([
  ['requests held', `${routed}\nhold: { max: §2 }`, 'hold.max: 2'],
  ['requests held of one client', `${routed}\nhold: { perClient: §1 }`, 'hold.perClient: 1'],
  [
    'requests at once of a rate',
    'routes: [{ path: /, rate: { requests: 9, burst: §2 } }]\nendpoints: { static: ["10.0.0.1:80"] }',
    'routes[0].rate.burst: 2',
  ],
  [
    'requests of a rate without a burst',
    'routes: [{ path: /, rate: { requests: §2 } }]\nendpoints: { static: ["10.0.0.1:80"] }',
    'routes[0].rate.requests: 2',
  ],
])('a bound that is less than one for each worker is refused: %s', (_name, service, problem) => {
  const { text, place } = marked(aroundService(service));
  const reason = 'cannot be shared out between 3 workers: expected at least 3';
  expect(problemsOf(`${text}workers: 3\n`)).toEqual([`${place}  services.app.${problem} ${reason}`]);
  expect(problemsOf(`${text}workers: 2\n`).join()).not.toContain('hold.max');
});

test('no limit is none for any worker, and slots are handed on', () => {
  expect(
    problemsOf(`${aroundService(`${routed}\nhold: { perClient: 0 }\nscale: { concurrency: 1 }`)}workers: 8\n`),
  ).toEqual([]);
});
