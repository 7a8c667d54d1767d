import { describe, expect, test } from 'vitest';
import { type Belief, interrupted, judge, lookAgainIn } from '../../../src/discovery/consul/belief.ts';
import { ConsulKnowledge } from '../../../src/discovery/consul/knowledge.ts';
import { ConsulLoop, LONG_WAIT_MS } from '../../../src/discovery/consul/loop.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { healthEntry } from './fake-consul.ts';
import { answer, ScriptedAsk } from './harness.ts';

const empty = { empty: true, knownLeader: true };
const leaderless = { empty: true, knownLeader: false };
const filled = { empty: false, knownLeader: true };

describe('an empty answer', () => {
  const start: Belief = { state: 'unknown' };

  test('is believed at once when it is the first and a leader is known', () => {
    expect(judge(start, empty, 0).state).toBe('empty');
    expect(judge(start, leaderless, 0).state).toBe('unknown');
  });

  test('after instances is doubted, and believed when one at least 2 s later agrees', () => {
    const doubted = judge(judge(start, filled, 0), empty, 1000);
    expect(doubted).toEqual({ state: 'doubted', since: 1000 });
    expect(judge(doubted, empty, 2999).state).toBe('doubted');
    expect(judge(doubted, empty, 3000).state).toBe('empty');
  });

  test('is never confirmed by one without a known leader', () => {
    const doubted = judge({ state: 'filled' }, empty, 0);
    expect(judge(doubted, leaderless, 60_000).state).toBe('doubted');
  });

  test('is doubted for as long as if there had been none before, once a leader is known', () => {
    const leaderlessFor = [0, 2000, 4000].reduce<Belief>((belief, at) => judge(belief, leaderless, at), {
      state: 'filled',
    });
    expect(lookAgainIn(leaderlessFor, 4000)).toBe(2000);
    const doubted = judge(leaderlessFor, empty, 5000);
    expect(doubted).toEqual({ state: 'doubted', since: 5000 });
    expect(judge(doubted, empty, 6999).state).toBe('doubted');
    expect(judge(doubted, empty, 7000).state).toBe('empty');
    expect(judge(judge(doubted, leaderless, 6000), empty, 7000)).toEqual({ state: 'doubted', since: 7000 });
  });

  test('is forgotten when instances are listed again', () => {
    const doubted = judge({ state: 'filled' }, empty, 0);
    expect(judge(judge(doubted, filled, 1000), empty, 5000)).toEqual({ state: 'doubted', since: 5000 });
  });

  test('is not confirmed across an outage', () => {
    const doubted = judge({ state: 'filled' }, empty, 0);
    expect(judge(interrupted(doubted), empty, 60_000)).toEqual({ state: 'doubted', since: 60_000 });
  });
});

test('the watch asks again 2 s after an empty answer, keeps the instances until then and drops them after', async () => {
  const clock = new VirtualClock();
  const knowledge = new ConsulKnowledge({ service: 'shop' }, clock, silentLogger);
  let listed: object[] = [healthEntry({})];
  let index = 5n;
  const script = new ScriptedAsk(clock, (query) => (query.index === index ? 'block' : answer(listed, index)));
  const abort = new AbortController();
  const loop = new ConsulLoop({
    question: { path: '/v1/health/service/shop' },
    ask: script.ask,
    clock,
    random: () => 0,
    waitMs: () => knowledge.lookAgainIn ?? LONG_WAIT_MS,
    take: (given, signal) => knowledge.take(given, signal),
    onAnswer: () => undefined,
    onFailure: () => undefined,
  });
  const ended = loop.run(abort.signal);
  await clock.advanceAsync(10_000);
  expect(knowledge.choose({}).endpoints).toHaveLength(1);

  [listed, index] = [[], 6n];
  script.release();
  await clock.advanceAsync(1990);
  expect(script.asked.at(-1)?.query.waitMs).toBe(2000);
  expect(knowledge.choose({}).endpoints).toHaveLength(1);
  await clock.advanceAsync(20);
  expect(knowledge.choose({}).endpoints).toEqual([]);
  await clock.advanceAsync(100);
  expect(script.asked.at(-1)?.query.waitMs).toBe(LONG_WAIT_MS);

  abort.abort();
  await ended;
});
