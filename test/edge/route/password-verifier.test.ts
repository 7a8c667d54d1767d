import { expect, test } from 'vitest';
import { PasswordVerifier, type PasswordWaiter } from '../../../src/edge/route/password-verifier.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { type PasswordHash, parsePasswordHash } from '../../../src/util/password-hash.ts';
import { until } from '../wire.ts';
import { cheapHash } from './rules.ts';

const hash = parsePasswordHash(cheapHash('right')) as PasswordHash;

class Waiter implements PasswordWaiter {
  told: boolean[] = [];

  onPasswordChecked(granted: boolean): void {
    this.told.push(granted);
  }
}

/** Has `password` checked for a waiter. */
function ask(
  verifier: PasswordVerifier,
  password: string,
  waiter: PasswordWaiter,
  conclude = (right: boolean) => right,
) {
  return verifier.verify(password, hash, Buffer.from(password), waiter, conclude);
}

test('tells whether the password was right, later', async () => {
  const verifier = new PasswordVerifier(silentLogger);
  const [right, wrong] = [new Waiter(), new Waiter()];
  expect(ask(verifier, 'right', right)).toBe(true);
  expect(ask(verifier, 'wrong', wrong)).toBe(true);
  expect(right.told).toEqual([]);
  await until(() => right.told.length + wrong.told.length === 2, 'both are told');
  expect([right.told, wrong.told]).toEqual([[true], [false]]);
});

test('a browser that asks for many things at once costs one check', async () => {
  const verifier = new PasswordVerifier(silentLogger);
  const waiters = Array.from({ length: 50 }, () => new Waiter());
  let concluded = 0;
  const conclude = (right: boolean) => {
    concluded++;
    return right;
  };
  for (const waiter of waiters) expect(ask(verifier, 'right', waiter, conclude)).toBe(true);
  await until(() => waiters.every(({ told }) => told.length === 1), 'all are told');
  expect(concluded).toBe(1);
});

test('a flood of different passwords fills the queue and no more; afterwards there is room again', async () => {
  const verifier = new PasswordVerifier(silentLogger);
  const waiters = Array.from({ length: 500 }, () => new Waiter());
  const taken = waiters.filter((waiter, index) => ask(verifier, `guess ${index}`, waiter));
  // Two run, 64 wait.
  expect(taken).toHaveLength(66);
  await until(() => taken.every(({ told }) => told.length === 1), 'all that were taken on are told');
  expect(waiters.filter(({ told }) => told.length > 0)).toHaveLength(66);
  expect(ask(verifier, 'right', new Waiter())).toBe(true);
});

test('requests that wait for one check are bounded too', () => {
  const verifier = new PasswordVerifier(silentLogger);
  const taken = Array.from({ length: 500 }, () => ask(verifier, 'right', new Waiter()));
  expect(taken.filter(Boolean)).toHaveLength(256);
});

test('what nobody waits for any more is not checked, and makes room', async () => {
  const verifier = new PasswordVerifier(silentLogger);
  const waiters = Array.from({ length: 66 }, () => new Waiter());
  let concluded = 0;
  const conclude = (right: boolean) => {
    concluded++;
    return right;
  };
  for (const [index, waiter] of waiters.entries()) ask(verifier, `guess ${index}`, waiter, conclude);
  for (const waiter of waiters) verifier.forget(waiter);
  const late = new Waiter();
  expect(ask(verifier, 'right', late, conclude)).toBe(true);
  // The two that were running end in any order with the late one; it would come last of all the others.
  await until(() => late.told.length === 1 && concluded >= 3, 'the late one is told, and the running ones are done');
  expect(concluded).toBe(3);
  expect(waiters.flatMap(({ told }) => told)).toEqual([]);
});

test('a waiter that leaves while the others are told is not told', async () => {
  const verifier = new PasswordVerifier(silentLogger);
  const second = new Waiter();
  const first: PasswordWaiter = { onPasswordChecked: () => verifier.forget(second) };
  const third = new Waiter();
  for (const waiter of [first, second, third]) ask(verifier, 'right', waiter);
  await until(() => third.told.length === 1, 'the third is told');
  expect(second.told).toEqual([]);
});

test('a hash that cannot be computed is a wrong password, not a crash', async () => {
  const verifier = new PasswordVerifier(silentLogger);
  const waiter = new Waiter();
  const broken: PasswordHash = { ...hash, cost: { N: 3, r: 1, p: 1 } };
  verifier.verify('key', broken, Buffer.from('right'), waiter, (right) => right);
  await until(() => waiter.told.length === 1, 'the waiter is told');
  expect(waiter.told).toEqual([false]);
});
