import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReplicaView } from '../../src/control/replica/replica-view.ts';
import { availableIn, countsOf, readyIn, wantedIn } from '../../src/control/service/service-view.ts';
import type { ScaleSettings } from '../../src/model/settings.ts';
import { IDLE_MS, PlannedService } from '../control/support/planned-service.ts';

const isStarting = ({ state, isCalledOff }: ReplicaView) => state === 'starting' && !isCalledOff;
const isReady = ({ state }: ReplicaView) => state === 'ready';

/** What may happen, by name. */
const happenings: Record<string, (service: PlannedService, n: number) => void> = {
  ask: (service, n) => service.ask(n, service.view.inFlight),
  answer: (service, n) => service.ask(0, n),
  leave: (service) => service.ask(0, 0),
  wait: (service, n) => service.pass(n * 700),
  permit: (service) =>
    service.changes(({ doing }) => doing === 'queued', {
      state: 'starting',
      doing: 'start',
      hash: service.view.run?.hash ?? '',
    }),
  ready: (service) => {
    const { now } = service.view;
    service.changes(
      isStarting,
      { state: 'ready', doing: 'none', readyAt: now },
      (replica) => ({ type: 'ready', replica, isAdopted: false }),
      { type: 'ready', askedAt: now },
    );
  },
  fail: (service) =>
    service.changes(isStarting, { state: 'failed', doing: 'none' }, (replica) => ({ type: 'start-failed', replica }), {
      type: 'failed',
      askedAt: service.view.now,
      retrySafe: true,
    }),
  'die soon': (service) =>
    service.changes(
      ({ state, hash, readyAt }) =>
        state === 'ready' && hash === service.view.run?.hash && service.view.now - readyAt < 10_000,
      { state: 'stopped', doing: 'none' },
      (replica) => ({ type: 'start-failed', replica }),
      { type: 'failed', askedAt: service.view.now, retrySafe: true, wasReady: true },
    ),
  sicken: (service) => service.changes(isReady, { isUnhealthy: true, sickSince: service.view.now }),
  heal: (service) => service.changes(({ sickSince }) => sickSince !== undefined, {}),
  budget: (service, n) => {
    service.view = { ...service.view, budgetLeft: n > 6 ? 0 : 10 };
  },
  'call-off': (service) => {
    service.changes(({ isCalledOff }) => isCalledOff === true, { state: 'failed', doing: 'none' });
    const { queued, starting } = countsOf(service.view);
    if (queued + starting === 0) service.note({ type: 'withdrawn' });
  },
  exit: (service, n) =>
    service.changes(isReady, { state: 'stopped', doing: 'none' }, (replica) => ({
      type: 'exited',
      replica,
      wasInUse: n % 2 === 0,
      isLost: n % 3 === 0,
    })),
  adopt: (service) => {
    if (countsOf(service.view).live >= service.view.scale.max) return;
    const { now } = service.view;
    service.changes(
      ({ state, doing }) => (state === 'stopped' || state === 'failed') && doing === 'none',
      { state: 'ready', doing: 'none', readyAt: now },
      (replica) => ({ type: 'ready', replica, isAdopted: true }),
    );
  },
  drain: (service) =>
    service.changes(({ state }) => state === 'cordoned', { state: 'stopping', doing: 'stop', reason: 'drained' }),
  stop: (service) =>
    service.changes(
      ({ state }) => state === 'stopping',
      { state: 'stopped', doing: 'none' },
      (replica) => ({
        type: 'stopped',
        replica,
      }),
    ),
  scale: (service, n) => {
    const { ready, queued, starting } = countsOf(service.view);
    if (service.view.isFrozen) return;
    if (ready > 1 && n % 2 === 0 && queued + starting === 0) service.happens({ type: 'scaled', to: ready - 1 });
    else if (ready > 0) service.happens({ type: 'scaled', to: ready + queued + starting + 1 });
  },
  freeze: (service) => {
    service.view = { ...service.view, isFrozen: true };
    service.look();
  },
  unfreeze: (service) => {
    service.view = { ...service.view, isFrozen: false };
    service.look();
  },
  'by hand': (service, n) => {
    const { min, max } = service.view.scale;
    service.happens({ type: 'scaled-by-hand', to: Math.min(max, Math.max(1, min, n)) });
  },
  give: (service, n) => {
    service.view = { ...service.view, gives: n > 4 ? ['other', 'third'] : ['other'] };
    service.look();
  },
  keep: (service) => {
    service.view = { ...service.view, gives: [] };
  },
  wake: (service) => service.happens({ type: 'woken' }),
  sleep: (service) => service.happens({ type: 'slept' }),
  run: (service, n) => {
    const run = { hash: `v${n}`, contact: 'known' as const, prepares: false };
    const other = run.hash !== service.view.run?.hash;
    service.view = { ...service.view, run };
    const maxBefore = service.view.scale.max;
    service.happens({ type: 'configured', run: other ? 'other' : 'same', inPlace: n === 7, maxBefore });
  },
  bounds: (service, n) => {
    const maxBefore = service.view.scale.max;
    const max = 1 + (n % 5);
    service.view = { ...service.view, scale: { ...service.view.scale, max, min: Math.min(n % 3, max) } };
    service.happens({ type: 'configured', run: 'same', inPlace: false, maxBefore });
  },
};

/** Starts have to come to something now and then. */
const OFTEN = ['ask', 'permit', 'permit', 'ready', 'ready'];
const happening = fc.tuple(fc.constantFrom(...Object.keys(happenings), ...OFTEN), fc.integer({ min: 1, max: 8 }));
const scale = fc.record({
  min: fc.integer({ min: 0, max: 2 }),
  max: fc.integer({ min: 3, max: 6 }),
  initial: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.constantFrom(0, 1, 2, 10),
  idleMs: fc.constantFrom(0, IDLE_MS, 'never' as const),
});
const past = fc.array(happening, { maxLength: 60 });

function lived(own: Partial<ScaleSettings>, happened: readonly (readonly [string, number])[]): PlannedService {
  const service = new PlannedService(own);
  service.look();
  for (const [name, n] of happened) happenings[name]?.(service, n);
  service.view = { ...service.view, gives: [] };
  return service;
}

/** Lets everything that is under way come to its end: in forty rounds, or when in one nothing was done and nothing happened. */
function settle(service: PlannedService): void {
  for (let i = 0; i < 40; i++) {
    const before = service.changed;
    for (const name of ['call-off', 'permit', 'ready', 'drain', 'stop']) happenings[name]?.(service, 1);
    if (service.look().length === 0 && service.changed === before) return;
  }
}

test('whatever happens, every step keeps the bounds, takes nothing from who waits, and is not planned twice', () => {
  fc.assert(
    fc.property(scale, past, (own, happened) => {
      expect(lived(own, happened).violations).toEqual([]);
    }),
    { numRuns: 3000 },
  );
}, 120_000);

test('whatever happened, requests for what sleeps get exactly what they need, and it goes again when it is idle', () => {
  fc.assert(
    fc.property(scale, past, fc.integer({ min: 1, max: 40 }), (own, happened, held) => {
      const service = lived({ ...own, idleMs: IDLE_MS }, happened);
      service.ask(0, 0);
      service.happens({ type: 'slept' });
      settle(service);
      service.pass(120_000);
      settle(service);
      expect(countsOf(service.view).live).toBe(0);

      const { min, max, initial, concurrency } = service.view.scale;
      service.ask(held, 0);
      const need = concurrency === 0 ? 1 : Math.ceil(held / (concurrency * (concurrency < 5 ? 1 : 0.8)));
      // What was too many failures in a row lets one through first.
      const { queued, starting } = countsOf(service.view);
      expect(queued + starting).toBe(
        service.view.circuit.state === 'half-open' ? 1 : Math.min(max, Math.max(1, initial, min, need)),
      );
      settle(service);
      expect(countsOf(service.view).ready).toBe(Math.min(max, Math.max(1, initial, min, need)));

      service.ask(0, 0);
      const { ready } = countsOf(service.view);
      service.pass(IDLE_MS);
      settle(service);
      // It wakes all the same while it is frozen, and stays then.
      if (service.view.isFrozen) {
        expect(countsOf(service.view).ready).toBe(ready);
        happenings['unfreeze']?.(service, 1);
        settle(service);
      }
      expect(countsOf(service.view).live).toBe(min);
      expect(service.violations).toEqual([]);
    }),
    { numRuns: 1500 },
  );
}, 120_000);

test('what an operator wants is there once it could be started, also where it is frozen, and is left alone for a while', () => {
  fc.assert(
    fc.property(scale, past, fc.integer({ min: 1, max: 6 }), (own, happened, count) => {
      const service = lived({ ...own, idleMs: 'never' }, happened);
      service.view = { ...service.view, budgetLeft: 10 };
      const { min, max, guards } = service.view.scale;
      const to = Math.min(max, Math.max(1, min, count));
      service.ask(0, 1);
      for (const { sickSince } of service.view.replicas) if (sickSince !== undefined) happenings['heal']?.(service, 1);
      settle(service);
      service.happens({ type: 'scaled-by-hand', to });
      settle(service);
      service.view = { ...service.view, gives: ['other'] };
      service.pass(guards.cooldownMs - 1);
      settle(service);
      expect(countsOf(service.view).ready).toBe(to);
      service.pass(1);
      settle(service);
      const isKept = to === 1 || service.view.isFrozen;
      expect(countsOf(service.view).ready).toBe(isKept ? to : Math.max(min, to - 1));
      expect(service.violations).toEqual([]);
    }),
    { numRuns: 500 },
  );
}, 120_000);

test('what an operator puts to sleep stays so until somebody asks, whatever its min', () => {
  fc.assert(
    fc.property(scale, past, (own, happened) => {
      const service = lived({ ...own, idleMs: IDLE_MS }, happened);
      service.ask(0, 0);
      service.happens({ type: 'slept' });
      service.pass(0);
      settle(service);
      for (let i = 0; i < 5; i++) service.pass(60_000);
      expect(countsOf(service.view).live).toBe(0);
      service.happens({ type: 'woken' });
      settle(service);
      expect(readyIn(service.view).length).toBeGreaterThanOrEqual(Math.max(1, service.view.scale.min));
      expect(service.violations).toEqual([]);
    }),
    { numRuns: 1500 },
  );
}, 120_000);

test('a change of run brings up as many of the new one, one at a time, and keeps what serves meanwhile', () => {
  fc.assert(
    fc.property(scale, past, (own, happened) => {
      const service = lived({ ...own, idleMs: 'never' }, happened);
      service.ask(1, 0);
      service.pass(120_000);
      settle(service);
      service.ask(0, 1);
      const before = countsOf(service.view).ready;
      expect(before).toBeGreaterThan(0);
      // What is over a smaller max by now, as a retire was called off, goes before anything is replaced.
      fc.pre(before <= service.view.scale.max);
      happenings['run']?.(service, 9);
      const counts: number[] = [];
      for (let i = 0; i < 20; i++) {
        for (const name of ['permit', 'ready', 'drain', 'stop']) {
          happenings[name]?.(service, 1);
          const { ready, live } = countsOf(service.view);
          counts.push(ready);
          expect(live).toBeLessThanOrEqual(service.view.scale.max + 1);
        }
      }
      expect(service.view.replicas.filter(isReady).every(({ hash }) => hash === 'v9')).toBe(true);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.min(before, wantedIn(service.view)));
      expect(service.violations).toEqual([]);
    }),
    { numRuns: 1500 },
  );
}, 120_000);

test('a new run that ends soon after it was ready, again and again, costs no capacity and is tried ever less often', () => {
  fc.assert(
    fc.property(scale, fc.integer({ min: 1, max: 4 }), (own, count) => {
      const service = lived({ ...own, idleMs: 'never' }, []);
      service.ask(1, 0);
      settle(service);
      service.ask(0, 1);
      for (let i = 1; i < count; i++) happenings['scale']?.(service, 1);
      settle(service);
      const before = countsOf(service.view).ready;
      happenings['run']?.(service, 9);
      let tries = 0;
      for (let second = 0; second < 3600; second++) {
        happenings['permit']?.(service, 1);
        if (service.view.replicas.some(isStarting)) tries++;
        happenings['ready']?.(service, 1);
        expect(countsOf(service.view).live).toBeLessThanOrEqual(service.view.scale.max + 1);
        service.pass(1000);
        happenings['die soon']?.(service, 1);
        expect(countsOf(service.view).ready).toBe(before);
      }
      expect(service.view.replicas.filter(isReady).every(({ hash }) => hash === 'v1')).toBe(true);
      expect(tries).toBeLessThanOrEqual(22);
      expect(service.violations).toEqual([]);
    }),
    { numRuns: 20 },
  );
}, 120_000);

test('sick replicas are replaced one at a time, within max, and those that are well stay', () => {
  fc.assert(
    fc.property(scale, past, fc.integer({ min: 1, max: 6 }), (own, happened, count) => {
      const service = lived({ ...own, idleMs: 'never' }, happened);
      service.view = { ...service.view, budgetLeft: 10 };
      service.happens({ type: 'woken' });
      service.ask(1, 0);
      for (let i = 0; i < 3; i++) {
        service.pass(20_000);
        settle(service);
      }
      service.ask(0, 1);
      const before = readyIn(service.view);
      fc.pre(before.length <= service.view.scale.max);
      for (const { ordinal } of before.slice(0, count))
        service.changes((each) => each.ordinal === ordinal, { isUnhealthy: true, sickSince: service.view.now });
      const isSick = ({ state, isUnhealthy }: ReplicaView) => state === 'ready' && isUnhealthy === true;
      const sick = service.view.replicas.filter(isSick).length;
      // What is more than it should have goes without another in its place.
      const kept = Math.min(before.length, wantedIn(service.view));
      const isRoomy = before.length < service.view.scale.max;
      for (let i = 0; i < 40; i++) {
        // While none serves, requests wait.
        service.ask(Number(availableIn(service.view) === 0), 1);
        for (const name of ['permit', 'ready', 'drain', 'stop']) {
          happenings[name]?.(service, 1);
          const { ready, live } = countsOf(service.view);
          expect(live).toBeLessThanOrEqual(service.view.scale.max);
          expect(ready).toBeGreaterThanOrEqual(kept - Number(!isRoomy));
          const fit = service.view.replicas.filter((each) => isReady(each) && !isSick(each)).length;
          expect(fit).toBeGreaterThanOrEqual(before.length - sick);
        }
        service.pass(20_000);
      }
      expect(service.view.replicas.some(isSick)).toBe(false);
      if (before.length > 1 || isRoomy) expect(countsOf(service.view).ready).toBeGreaterThanOrEqual(kept);
      expect(service.violations).toEqual([]);
    }),
    { numRuns: 500 },
  );
}, 120_000);
