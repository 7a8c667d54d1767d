import { describe, expect, test } from 'vitest';
import type { ReplicaView } from '../../../src/control/replica/replica-view.ts';
import { apply } from '../../../src/control/service/apply.ts';
import { plan } from '../../../src/control/service/plan.ts';
import type { ServiceEvent } from '../../../src/control/service/service-event.ts';
import { newIntent, type ServiceView } from '../../../src/control/service/service-view.ts';
import { type Circuit, newCircuit } from '../../../src/control/start/circuit.ts';
import { testReplica, testView } from '../support/views.ts';

const NOW = 1_000_000;
const crashed: Circuit = {
  ...newCircuit,
  state: 'open',
  crashes: 5,
  failedAt: NOW - 100,
  until: NOW + 8000,
  wasReady: true,
  extras: 'free',
};
const look: ServiceEvent = { type: 'looked', cause: 'replacement' };
const ready = (ordinal: number, change: Partial<ReplicaView> = {}) =>
  testReplica(ordinal, { state: 'ready', readyAt: ordinal, ...change });
const sick = (ordinal: number, change: Partial<ReplicaView> = {}) =>
  ready(ordinal, { isUnhealthy: true, sickSince: NOW - 20_000, ...change });
const reserve = (ordinal: number) =>
  ready(ordinal, { state: 'draining', doing: 'retire', reason: 'replaced', isRevocable: true, hash: 'v0' });
const intent = { ...newIntent, target: 2 };

/** What is done after an event, in short. */
function steps(event: ServiceEvent, change: Partial<ServiceView>, max = 4): string[] {
  const view = testView({ idleMs: 'never', max }, { now: NOW, intent, ...change });
  return plan(apply(view, event)).map((step) => {
    const what = 'replicas' in step ? step.replicas.join() : 'count' in step ? `${step.count}` : '';
    const why = 'reason' in step ? step.reason : 'cause' in step ? step.cause : '';
    return [step.do, what, why].filter((part) => part !== '').join(' ');
  });
}

describe('while starts are held back after crashes', () => {
  test('what crashed is not replaced, and scaling goes on beside a replica that has lived', () => {
    const scaling: ServiceEvent = { type: 'looked', cause: 'scale-up' };
    const given = { circuit: crashed, replicas: [ready(1)] };
    expect(steps(look, given)).toEqual([]);
    expect(steps(scaling, given)).toEqual(['start 1 scale-up']);
    expect(steps(scaling, { ...given, replicas: [ready(1, { readyAt: NOW - 599_000 })] })).toEqual([]);
    expect(steps(scaling, { ...given, circuit: { ...crashed, extras: 'spent' } })).toEqual([]);
  });

  test('nobody waits where nothing serves', () => {
    const replica = testReplica(1, { state: 'stopped', readyAt: NOW - 15_000 });
    const exited: ServiceEvent = { type: 'exited', replica, wasInUse: true, isLost: false };
    const view = testView({}, { now: NOW, intent, circuit: crashed, replicas: [ready(1)] });
    expect(apply(view, exited).intent.failures).toBe(1);
    expect(apply({ ...view, replicas: [ready(1), ready(2)] }, exited).intent.failures).toBe(0);
  });
});

describe('one with the present run that ends in its probation', () => {
  const replica = testReplica(2, { state: 'stopped', readyAt: NOW - 3000 });
  const failed: ServiceEvent = { type: 'start-failed', replica };
  const given = { circuit: crashed, intent: { ...newIntent, target: 1 }, replicas: [reserve(1), ready(2)] };

  test('gives back what it took over from, and nobody who waits is turned away', () => {
    expect(steps(failed, given)).toEqual(['revoke 1']);
    expect(apply(testView({}, { now: NOW, ...given }), failed).intent).toMatchObject({ target: 1, failures: 0 });
  });

  test('gives nothing back where the service was put to sleep, or is leaving', () => {
    for (const mode of ['slept', 'leaving'] as const) {
      expect(steps(failed, { ...given, intent: { ...given.intent, mode } })).toEqual([]);
    }
  });
});

describe('one that is sick', () => {
  test.each<[string, Partial<ServiceView>, number, string[]]>([
    ['has a fresh one started in its place', { replicas: [ready(1), sick(2)] }, 3, ['start 1 sick']],
    ['goes once that is ready', { replicas: [ready(1), sick(2), ready(3)] }, 3, ['retire 2 unhealthy']],
    ['goes first without room', { replicas: [ready(1), sick(2)] }, 2, ['retire 2 unhealthy']],
    [
      'goes first without budget',
      { replicas: [ready(1), sick(2)], budgetLeft: 0 },
      3,
      ['retire 2 unhealthy', 'start 1 replacement'],
    ],
    ['waits for its turn', { replicas: [sick(1, { sickSince: NOW - 60_000 }), sick(2)] }, 2, ['retire 1 unhealthy']],
    ['waits for the end of a back-off', { replicas: [ready(1), sick(2)], circuit: crashed }, 2, []],
    ['stays while another process uses it', { replicas: [ready(1), sick(2)], mayEnd: false }, 3, []],
    ['stays while the proxy is about to end', { replicas: [ready(1), sick(2)], isDraining: true }, 3, []],
  ])('%s', (_, change, max, expected) => {
    expect(steps(look, change, max)).toEqual(expected);
  });

  test('is given up where a fresh one fell sick too and none is well', () => {
    const sickness = { state: 'replacing', since: NOW - 60_000 } as const;
    const given = { intent: { ...intent, sickness } };
    const fresh = sick(3, { readyAt: NOW - 30_000 });
    expect(steps(look, { ...given, replicas: [sick(1), fresh] })).toEqual(['give-up-on-sick 3,1']);
    // Not yet known, and then well.
    expect(steps(look, { ...given, replicas: [sick(1), ready(3, { readyAt: NOW - 10_000 })] })).toEqual([]);
    expect(steps(look, { ...given, replicas: [sick(1), ready(3, { readyAt: NOW - 30_000 })] })).toEqual([
      'start 1 sick',
    ]);
    const givenUp = { intent: { ...intent, sickness: { state: 'given-up' } as const } };
    expect(steps(look, { ...givenUp, replicas: [sick(1), fresh] })).toEqual([]);
  });

  test.each<ServiceEvent>([{ type: 'woken' }, { type: 'configured', run: 'other', inPlace: false, maxBefore: 4 }])(
    'is tried again after %j',
    (event) => {
      const given = { ...intent, sickness: { state: 'given-up' } as const };
      expect(apply(testView({}, { intent: given, replicas: [sick(1)] }), event).intent.sickness.state).toBe('none');
    },
  );
});
