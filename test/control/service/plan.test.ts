import { describe, expect, test } from 'vitest';
import type { ReplicaView } from '../../../src/control/replica/replica-view.ts';
import { apply } from '../../../src/control/service/apply.ts';
import { isDormant, plan } from '../../../src/control/service/plan.ts';
import type { ServiceEvent } from '../../../src/control/service/service-event.ts';
import { newIntent, type ServiceView } from '../../../src/control/service/service-view.ts';
import { newCircuit, nextCircuit } from '../../../src/control/start/circuit.ts';
import type { ScaleSettings } from '../../../src/model/settings.ts';
import { testReplica, testView } from '../support/views.ts';

const ready = (ordinal: number, change: Partial<ReplicaView> = {}) =>
  testReplica(ordinal, { state: 'ready', readyAt: ordinal, ...change });
const queued = (ordinal: number, change: Partial<ReplicaView> = {}) =>
  testReplica(ordinal, { doing: 'queued', cause: 'demand', isLimited: false, ...change });
const starting = (ordinal: number) => testReplica(ordinal, { state: 'starting', doing: 'start', isCalledOff: false });
const retiring = (ordinal: number, reason: string, change: Partial<ReplicaView> = {}) =>
  ready(ordinal, { state: 'cordoned', doing: 'retire', reason, isRevocable: true, isClosing: false, ...change });

const look: ServiceEvent = { type: 'looked', cause: 'replacement' };
const failed = nextCircuit(newCircuit, { type: 'failed', askedAt: 0, retrySafe: true }, 0, () => 0.5);

/** What is done after an event, in short; what is said of it left out. */
function steps(event: ServiceEvent, change: Partial<ServiceView>, scale: Partial<ScaleSettings> = {}): string[] {
  return plan(apply(testView({ idleMs: 'never', ...scale }, change), event)).map((step) => {
    const parts = [
      'count' in step ? `${step.count}` : '',
      'replicas' in step ? step.replicas.join() : '',
      'reason' in step ? step.reason : 'cause' in step ? step.cause : 'why' in step ? step.why : '',
    ];
    return [step.do, ...parts].filter((part) => part !== '').join(' ');
  });
}

describe('a look', () => {
  test.each<[string, Partial<ServiceView>, Partial<ScaleSettings>, string[]]>([
    ['nothing is asked for', {}, {}, []],
    ['requests wait for what sleeps', { held: 9 }, { initial: 2 }, ['start 2 demand']],
    ['min is not reached', { replicas: [ready(1)] }, { min: 2 }, ['start 1 min']],
    ['it is not known what runs', { held: 9, run: { hash: 'v1', contact: 'listing', prepares: false } }, {}, []],
    ['Pilotlight only routes to it', { held: 9, run: undefined }, { min: 2 }, []],
    ['starts wait for a back-off', { held: 9, circuit: failed }, {}, []],
    ['a successor starts replicas', { held: 9, mayStart: false }, {}, []],
    [
      'requests wait for what retires',
      { held: 1, replicas: [retiring(1, 'idle'), retiring(2, 'idle')] },
      {},
      ['revoke 2 a request came'],
    ],
    [
      'requests wait for what retires for good',
      { held: 1, replicas: [retiring(1, 'reconfigured', { isRevocable: false })] },
      {},
      ['start 1 demand'],
    ],
    [
      'requests wait for what stands behind a rate limit',
      { held: 1, replicas: [queued(1, { cause: 'min', isLimited: true })] },
      {},
      ['hurry-starts'],
    ],
    [
      'nobody waits any more',
      { intent: { ...newIntent, target: 3, arrivalsBefore: 0 }, replicas: [starting(1), queued(2), queued(3)] },
      {},
      ['withdraw 3,2'],
    ],
    [
      'more are needed, and some drain in peace',
      { intent: { ...newIntent, target: 3 }, replicas: [ready(1), retiring(2, 'scale-down'), retiring(3, 'by-hand')] },
      {},
      ['revoke 2 it is needed again', 'start 1 replacement'],
    ],
    ['what serves is outdated', { replicas: [ready(1, { hash: 'v0' })] }, { max: 1 }, ['start 1 new-run']],
    [
      'what serves is outdated, and there is one more than max already',
      { replicas: [ready(1, { hash: 'v0' }), retiring(2, 'scale-down', { hash: 'v0' })] },
      { max: 1 },
      [],
    ],
    [
      'what serves is outdated, more of it than wanted',
      { replicas: [ready(1, { hash: 'v0' }), ready(2, { hash: 'v0' })], intent: { ...newIntent, target: 1 } },
      {},
      ['start 1 new-run'],
    ],
    [
      'the new one is ready',
      { replicas: [ready(1, { hash: 'v0' }), ready(2)], intent: { ...newIntent, target: 1 } },
      { max: 1 },
      ['retire 1 replaced'],
    ],
    ['it is idle', { now: 90, replicas: [ready(1), ready(2)] }, { idleMs: 50, min: 1 }, ['retire 2 idle']],
    ['it is idle, in a dry run', { now: 90, replicas: [ready(1)] }, { idleMs: 50, dryRun: true }, ['rest-dry 1']],
    ['it will be idle', { now: 9, replicas: [ready(1)] }, { idleMs: 50 }, ['look-again']],
    [
      'it is idle, and another process uses it too',
      { now: 90, replicas: [ready(1)], isDraining: true },
      { idleMs: 50 },
      [],
    ],
  ])('%s', (_, change, scale, expected) => {
    expect(steps(look, change, scale)).toEqual(expected);
  });
});

describe('news', () => {
  const configured = (run: 'same' | 'other' | 'none', inPlace = false, maxBefore = 4) =>
    ({ type: 'configured', run, inPlace, maxBefore }) as const;

  test.each<[string, ServiceEvent, Partial<ServiceView>, string[]]>([
    [
      'it is put to sleep',
      { type: 'slept' },
      { replicas: [ready(1), starting(2), queued(3)] },
      ['hurry-retires', 'withdraw 3', 'call-off 2', 'retire 1 by-hand'],
    ],
    [
      'it is put to sleep while requests wait',
      { type: 'slept' },
      { held: 1, replicas: [ready(1), starting(2), queued(3)] },
      ['hurry-retires', 'retire 1 by-hand'],
    ],
    [
      'it is put to sleep while another process uses it too',
      { type: 'slept' },
      { mayEnd: false, replicas: [ready(1)] },
      ['hurry-retires'],
    ],
    ['it is woken after failures', { type: 'woken' }, { circuit: failed }, ['forgive']],
    ['it is woken while others serve', { type: 'woken' }, { circuit: failed, replicas: [ready(1)] }, ['forgive']],
    ['it is woken, and nothing failed', { type: 'woken' }, { replicas: [ready(1)] }, []],
    [
      'fewer are needed',
      { type: 'scaled', to: 1 },
      { replicas: [ready(1, { inFlight: 1 }), ready(2, { inFlight: 2 })] },
      ['retire 1 scale-down'],
    ],
    ['it was removed', { type: 'removed' }, { replicas: [ready(1)] }, ['hurry-retires', 'retire 1 removed']],
    ['it can be started no more', configured('none'), { replicas: [ready(1)] }, ['hurry-retires', 'retire 1 removed']],
    [
      'another run holds',
      configured('other'),
      { replicas: [ready(1, { hash: 'v0' }), { ...starting(2), hash: 'v0' }, starting(3)] },
      ['hurry-retires', 'forgive', 'call-off 2'],
    ],
    [
      'another run holds, of the one thing that there is',
      configured('other', true),
      { replicas: [ready(1, { hash: 'v0' })] },
      ['hurry-retires', 'forgive', 'retire 1 reconfigured'],
    ],
    [
      'it may have fewer',
      configured('same', false, 6),
      { replicas: [1, 2, 3, 4, 5].map((ordinal) => ready(ordinal)) },
      ['retire 5 scale-down'],
    ],
    [
      'it may have more, which can be pre-positioned',
      configured('same', false, 2),
      { run: { hash: 'v1', contact: 'known', prepares: true } },
      ['prepare 1,2,3,4'],
    ],
    [
      'a successor takes over',
      { type: 'handed-over' },
      { replicas: [queued(1), retiring(2, 'idle'), retiring(3, 'removed', { isRevocable: false })] },
      ['withdraw 1', 'revoke 2 a request came'],
    ],
    ['the proxy ends', { type: 'ended' }, { replicas: [ready(1)] }, ['stop-now']],
    [
      'a start failed, and others are in the queue',
      { type: 'start-failed', replica: testReplica(1, { state: 'failed' }) },
      { circuit: failed, replicas: [starting(1), queued(2)] },
      ['withdraw 2'],
    ],
  ])('%s', (_, event, change, expected) => {
    expect(steps(event, change)).toEqual(expected);
  });
});

describe('what is intended after news', () => {
  const intended = (event: ServiceEvent, change: Partial<ServiceView>, scale: Partial<ScaleSettings> = {}) =>
    apply(testView({ idleMs: 'never', ...scale }, change), event).intent;

  test('who woke it is not served by a start that failed', () => {
    const woken = { ...newIntent, isWoken: true };
    const replica = testReplica(1, { state: 'failed' });
    const intent = intended({ type: 'start-failed', replica }, { circuit: failed, intent: woken });
    expect(intent).toMatchObject({ isWoken: false, failures: 1 });
  });

  test('what is had back is kept, and filled up to min', () => {
    const revoked: ServiceEvent = { type: 'revoked', replica: ready(1) };
    expect(intended(revoked, { replicas: [ready(2)] }).target).toBe(2);
    expect(intended(revoked, { replicas: [] }, { min: 3 }).target).toBe(3);
  });

  test('a dry run tells once per idle time that it would sleep, and once a second at most', () => {
    expect(intended({ type: 'rested', idleForMs: 5000 }, { now: 90 }).idleNotBefore).toBe(5090);
    expect(intended({ type: 'rested', idleForMs: 10 }, { now: 90 }).idleNotBefore).toBe(1090);
  });

  test('what was found running is watched for an idle time and a window before it may be idle', () => {
    const latency = { aboveMs: 1000, quantile: 0.95, windowMs: 400 };
    const adopted: ServiceEvent = { type: 'ready', replica: ready(1), isAdopted: true };
    expect(intended(adopted, { now: 90 }, { idleMs: 700, latency })).toMatchObject({ idleNotBefore: 790, target: 1 });
    expect(intended(adopted, { now: 90 }, { idleMs: 50, latency }).idleNotBefore).toBe(490);
    expect(intended({ ...adopted, isAdopted: false }, { now: 90 }, { idleMs: 700, latency }).idleNotBefore).toBe(0);
  });
});

describe('news of what a step brought about at once', () => {
  const retired: ServiceEvent = { type: 'retiring', replicas: [retiring(1, 'idle')], reason: 'idle' };
  test.each<ServiceEvent>([retired, { type: 'revoked', replica: ready(1) }, { type: 'rested', idleForMs: 10 }])(
    '$type calls for no step: it comes while the rest of the plan is still to be carried out',
    (event) => {
      const everything = { held: 9, replicas: [ready(1), queued(2), starting(3), retiring(4, 'scale-down')] };
      expect(steps(event, everything, { min: 4, idleMs: 0 })).toEqual([]);
    },
  );
});

describe('a service is dormant', () => {
  test.each<[string, boolean, Partial<ServiceView>]>([
    ['while nothing runs and nothing is asked', true, {}],
    ['while Pilotlight only routes to it and nothing is said of it', true, { run: undefined }],
    ['not before it is known what runs', false, { run: { hash: 'v1', contact: 'listing', prepares: false } }],
    ['not while others run an endpoint of it', false, { external: 1 }],
    ['not while one still ends', false, { replicas: [testReplica(1, { state: 'stopping', doing: 'stop' })] }],
    ['not while an edge speaks of it', false, { isSilent: false }],
    ['not while requests wait', false, { held: 1 }],
    ['not while starts wait for a back-off', false, { circuit: failed }],
    ['not while it leaves', false, { intent: { ...newIntent, mode: 'leaving' } }],
  ])('%s', (_, expected, change) => {
    expect(isDormant(testView({}, change))).toBe(expected);
  });
});
