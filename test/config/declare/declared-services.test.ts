import { expect, test, vi } from 'vitest';
import { DeclaredServices } from '../../../src/config/declare/declared-services.ts';
import type { Declaration } from '../../../src/model/declarations.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { container, declaringFile } from './declarations.ts';

/** One source whose sets the test says. */
function declaring(known?: readonly Declaration[]) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const onChange = vi.fn();
  let emit: (set: readonly Declaration[]) => void = () => undefined;
  let ended: AbortSignal | undefined;
  const declared = new DeclaredServices({
    file: declaringFile(),
    sources: [
      {
        name: 'docker',
        run: (take, signal) => {
          emit = take;
          ended = signal;
        },
      },
    ],
    known,
    clock,
    onChange,
    tell: (type, message) => told.push(`${type}: ${message}`),
  });
  const say = (...routes: string[]) => emit(routes.map((route) => container('shop', { 'pilotlight.route': route })));
  const hosts = () => declared.merge().services.map(({ routes }) => routes[0]?.host);
  return { clock, told, onChange, declared, say, hosts, isEnded: () => ended?.aborted };
}

test('its begin says whether every source has said something, and leaves no timer behind', async () => {
  const answered = declaring();
  const whole = answered.declared.begin(5000);
  answered.say('a.example');
  expect(await whole).toBe(true);
  answered.clock.advance(20);
  expect(answered.clock.nextAt).toBe(Number.POSITIVE_INFINITY);

  const silent = declaring();
  const late = silent.declared.begin(5000);
  silent.clock.advance(5000);
  expect(await late).toBe(false);

  const closed = declaring();
  const given = closed.declared.begin(5000);
  closed.declared.close();
  expect(await given).toBe(false);
  expect([closed.isEnded(), closed.clock.nextAt]).toEqual([true, Number.POSITIVE_INFINITY]);
});

test('what the process before knew holds until its source says something', async () => {
  const { clock, declared, say, hosts } = declaring([container('shop', { 'pilotlight.route': 'old.example' })]);
  const whole = declared.begin(5000);
  clock.advance(5000);
  expect(await whole).toBe(false);
  expect(hosts()).toEqual(['old.example']);
  say('new.example');
  expect(hosts()).toEqual(['new.example']);
  expect(declared.known).toMatchObject([{ labels: { 'pilotlight.route': 'new.example' } }]);
});

test('what comes together is one change, and who comes, goes or is wrong is told once', () => {
  const { clock, told, onChange, declared, say, hosts } = declaring();
  void declared.begin(5000);
  say('a.example');
  say('b.example');
  clock.advance(20);
  expect(onChange).toHaveBeenCalledTimes(1);
  expect(hosts()).toEqual(['b.example']);
  expect(hosts()).toEqual(['b.example']);
  say('not a host');
  clock.advance(20);
  expect(hosts()).toEqual(['b.example']);
  say();
  clock.advance(20);
  expect(hosts()).toEqual([]);
  expect(told).toEqual([
    'declared: shop is declared by container shop',
    expect.stringMatching(
      /^declaration-refused: container shop: label pilotlight.route: .* \(what it said before holds\)$/,
    ),
    'undeclared: shop is gone with container shop',
  ]);
});

test('one that never was in force takes no service with it when it goes', () => {
  const { clock, told, declared, say, hosts } = declaring();
  void declared.begin(5000);
  say('not a host');
  clock.advance(20);
  expect(hosts()).toEqual([]);
  say();
  clock.advance(20);
  expect(hosts()).toEqual([]);
  expect(told).toEqual([
    expect.stringMatching(/^declaration-refused: /),
    'declaration-remark: container shop is gone, of which nothing was in force',
  ]);
});

test('one that changes again and again holds for a while, and its last word counts in the end', () => {
  const { clock, declared, say, hosts } = declaring();
  void declared.begin(5000);
  for (let i = 1; i <= 7; i++) {
    say(`h${i}.example`);
    clock.advance(20);
    hosts();
  }
  expect(hosts()).toEqual(['h5.example']);
  expect(declared.standing[0]?.remarks).toEqual(['changes too often: what it said last holds for a while']);
  clock.advance(10_000);
  expect(hosts()).toEqual(['h7.example']);
  expect(declared.standing[0]?.remarks).toEqual([]);
});

test('what could not be put in force is a change again in a while, but not after the end', () => {
  const { clock, onChange, declared } = declaring();
  void declared.begin(5000);
  clock.advance(5000);
  declared.again();
  clock.advance(9999);
  expect(onChange).not.toHaveBeenCalled();
  clock.advance(1);
  expect(onChange).toHaveBeenCalledTimes(1);
  declared.close();
  declared.again();
  expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
});
