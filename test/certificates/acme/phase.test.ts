import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueAt, type Event, firstPhase, nextPhase, type Phase } from '../../../src/certificates/acme/phase.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);
const life = { notBefore: NOW, notAfter: NOW + 90 * DAY };
const failed: Event = { type: 'failed', why: 'refused', retryAfterMs: undefined };

/** The phase after these events, each of which happens now. */
const reached = (phase: Phase, events: Event[], now = NOW, random = 0) =>
  events.reduce((at, event) => nextPhase(at, event, now, random), phase);

const ordering: Phase = { name: 'ordering', failures: 0 };

describe('an order', () => {
  test('goes from step to step until the certificate is served, which is renewed when a third is left', () => {
    const steps: Event[] = [{ type: 'ordered' }, { type: 'proven' }, { type: 'issued', life }];
    const served = reached(ordering, steps);
    expect(served).toEqual({ name: 'served', renewAt: NOW + 60 * DAY, askAt: NOW + 6 * HOUR });
    expect(nextPhase(served, { type: 'due' }, NOW + HOUR, 0)).toBe(served);
    expect(nextPhase(served, { type: 'due' }, NOW + 60 * DAY, 0)).toEqual(ordering);
  });

  test.each<Event[][]>([[[]], [[{ type: 'ordered' }]], [[{ type: 'ordered' }, { type: 'proven' }]]])(
    'that fails is tried again later each time, at most a day later',
    (steps) => {
      const waits: number[] = [];
      let phase: Phase = ordering;
      for (let i = 0; i < 12; i++) {
        phase = reached(phase, [...steps, failed]);
        waits.push(((dueAt(phase) ?? 0) - NOW) / 60_000);
        phase = nextPhase(phase, { type: 'due' }, dueAt(phase) ?? 0, 0);
      }
      expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]);
    },
  );

  test('is not tried before the authority says, if that is within a day', () => {
    const wait = (retryAfterMs: number) => (dueAt(reached(ordering, [{ ...failed, retryAfterMs }])) ?? 0) - NOW;
    expect([wait(1000), wait(2 * HOUR), wait(9 * DAY)]).toEqual([5 * 60_000, 2 * HOUR, DAY]);
  });

  test('that failed is tried at once when somebody hurries, but not again within a minute unless it is another one', () => {
    const backingOff = reached(ordering, [failed]);
    const hurry = (isOther: boolean, ms: number) => nextPhase(backingOff, { type: 'hurry', isOther }, NOW + ms, 0).name;
    expect([hurry(false, 59_000), hurry(false, 60_000), hurry(true, 0)]).toEqual([
      'backing-off',
      'ordering',
      'ordering',
    ]);
    expect(nextPhase(ordering, { type: 'hurry', isOther: true }, NOW, 0)).toBe(ordering);
  });
});

describe('at the start', () => {
  test('a certificate that has more than a third left is not ordered', () => {
    expect(firstPhase(life, undefined, NOW + 50 * DAY, 0).name).toBe('served');
    expect(firstPhase(life, undefined, NOW + 61 * DAY, 0).name).toBe('ordering');
    expect(firstPhase(undefined, undefined, NOW, 0).name).toBe('ordering');
  });

  test('an order that failed before waits on, and none longer than a day', () => {
    const failure = { failures: 4, since: NOW, until: NOW + HOUR, why: 'x' };
    expect(firstPhase(life, failure, NOW, 0)).toEqual({ name: 'backing-off', ...failure });
    expect(firstPhase(undefined, failure, NOW + HOUR, 0)).toEqual({ name: 'ordering', failures: 4 });
    // The clock was set back.
    expect(firstPhase(undefined, { ...failure, until: NOW + 90 * DAY }, NOW, 0).name).toBe('ordering');
  });
});

describe('advice', () => {
  const served: Phase = { name: 'served', renewAt: NOW + 60 * DAY, askAt: NOW };
  const asking = nextPhase(served, { type: 'due' }, NOW, 0);
  const advised = (start: number, end: number, againMs?: number, random = 0.5) =>
    nextPhase(asking, { type: 'advised', life, window: { start, end }, againMs }, NOW, random);

  test('is asked for when it is due, and names a window of which a moment is taken', () => {
    expect(asking).toEqual({ name: 'asking', renewAt: NOW + 60 * DAY });
    expect(advised(NOW + 10 * DAY, NOW + 12 * DAY)).toMatchObject({ name: 'served', renewAt: NOW + 11 * DAY });
  });

  test('that names the past has it renewed now, and the far future does not let it expire', () => {
    const now = advised(NOW - 2 * DAY, NOW - DAY);
    expect(nextPhase(now, { type: 'due' }, NOW, 0)).toEqual(ordering);
    expect(advised(NOW + 900 * DAY, NOW + 901 * DAY)).toMatchObject({ renewAt: NOW + 81 * DAY });
  });

  test('is asked for again as the authority says, between 5 minutes and a day', () => {
    const again = (ms?: number) => {
      const phase = advised(NOW + DAY, NOW + DAY, ms);
      return phase.name === 'served' ? phase.askAt - NOW : 0;
    };
    expect([again(), again(0), again(HOUR), again(9 * DAY)]).toEqual([6 * HOUR, 5 * 60_000, HOUR, DAY]);
  });

  test('that there is none of is not asked for again, and a failure leaves all as it is', () => {
    const none: Event = { type: 'advised', life, window: undefined, againMs: undefined };
    expect(nextPhase(asking, none, NOW, 0)).toEqual({ name: 'served', renewAt: NOW + 60 * DAY, askAt: Infinity });
    expect(nextPhase(asking, failed, NOW, 0)).toEqual({ ...served, askAt: NOW + 6 * HOUR });
  });
});

test('whatever happens, no two orders begin within a third of a life, or within five minutes of a failure', () => {
  const event = fc.oneof(
    fc.constant<Event>({ type: 'due' }),
    fc.constant<Event>({ type: 'ordered' }),
    fc.constant<Event>({ type: 'proven' }),
    fc.constant<Event>({ type: 'issued', life }),
    fc.record({
      type: fc.constant('failed' as const),
      why: fc.string(),
      retryAfterMs: fc.option(fc.nat(), { nil: undefined }),
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(HOUR), fc.double({ min: 0, max: 0.99, noNaN: true }))), (all) => {
      let now = NOW;
      let phase: Phase = ordering;
      let barred = 0;
      for (const [next, ms, random] of all) {
        now += ms;
        const before = phase.name;
        phase = nextPhase(phase, next, now, random);
        if (phase.name === 'ordering' && before !== 'ordering') expect(now).toBeGreaterThanOrEqual(barred);
        if (phase.name === 'backing-off' && before !== 'backing-off') barred = now + 4 * 60_000;
        if (phase.name === 'served' && before === 'finishing') barred = now + 30 * DAY;
      }
    }),
  );
});
