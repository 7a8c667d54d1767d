import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PilotlightError } from '../../src/model/errors.ts';
import type { FakeEdge, FakeRequest } from '../control/support/fake-edge.ts';
import { testGuards, testRun, testService, testSettings } from '../control/support/settings.ts';
import { World } from '../control/support/world.ts';

/** What may happen, one after the other, with pauses in between. */
type Step =
  | { do: 'request'; service: string; count: number; bodyMs: number; edge: number }
  | { do: 'abort'; index: number }
  | { do: 'kill'; index: number }
  | { do: 'others-pause' | 'others-unpause'; index: number }
  | { do: 'deaf'; isDeaf: boolean }
  | { do: 'slow-pause'; pauseMs: number; resumeMs: number }
  | { do: 'fail-next'; count: number }
  | { do: 'slow-start'; startMs: number; readyMs: number }
  | { do: 'never-ready' }
  | { do: 'slow-stop'; stopMs: number }
  | { do: 'unreachable'; ms: number }
  | { do: 'mute'; edge: number; ms: number }
  | { do: 'replace-edge'; edge: number }
  | { do: 'wake' | 'sleep' | 'new-run'; service: string }
  | { do: 'scale'; service: string; to: number }
  | { do: 'freeze'; service: string; ms: number }
  | { do: 'unfreeze'; service: string }
  | { do: 'short-lived'; lifeMs: number | undefined }
  | { do: 'sicken'; replica: string | undefined }
  | { do: 'wait'; ms: number };

const SERVICES = ['plain', 'slots', 'kept'];
const MAX: Record<string, number> = { plain: 2, slots: 4, kept: 3 };
const MIN: Record<string, number> = { plain: 0, slots: 0, kept: 1 };
const BUDGET = 6;
const PERMITS = 2;
const IDLE_MS = 3000;
const DRAIN_MS = 4000;
const COOLDOWN_MS = 8000;
/** Reasons to retire a replica that a freeze keeps back. */
const VOLUNTARY = ['idle', 'scale-down', 'given-up'];

const service = fc.constantFrom(...SERVICES);
const edge = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      service,
      count: fc.integer({ min: 1, max: 8 }),
      bodyMs: fc.constantFrom(0, 0, 300, 2000, 9000),
      edge,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 20, 120, 700, 2950, 3100, 5000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), index: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), index: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('others-pause' as const, 'others-unpause' as const),
      index: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deaf' as const), isDeaf: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('slow-pause' as const),
      pauseMs: fc.constantFrom(5, 700),
      resumeMs: fc.constantFrom(5, 700),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail-next' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('slow-start' as const),
      startMs: fc.constantFrom(10, 500, 3000),
      readyMs: fc.constantFrom(10, 2500),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'never-ready' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('slow-stop' as const), stopMs: fc.constantFrom(10, 3000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unreachable' as const), ms: fc.constantFrom(200, 4000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mute' as const), edge, ms: fc.constantFrom(1500, 8000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace-edge' as const), edge }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('wake' as const, 'sleep' as const, 'new-run' as const), service }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('scale' as const), service, to: fc.integer({ min: 0, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('freeze' as const), service, ms: fc.constantFrom(2000, 30_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unfreeze' as const), service }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('short-lived' as const), lifeMs: fc.constantFrom(undefined, 700, 4000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('sicken' as const),
      replica: fc.constantFrom(undefined, 'plain-', 'plain-1#', 'slots-2#', 'kept-', 'kept-1#', 'kept-2#'),
    }),
  },
);

/** How long starts and stops take, to begin with. */
const pace = fc.record({
  startMs: fc.constantFrom(10, 150, 1000),
  readyMs: fc.constantFrom(10, 500),
  stopMs: fc.constantFrom(10, 2000, 6000),
  serviceMs: fc.constantFrom(5, 400),
});

/** Watches a world and says what it does that it must not. */
class Watch {
  readonly violations: string[] = [];
  readonly world: World;
  readonly edges: FakeEdge[];
  readonly requests: FakeRequest[] = [];
  /** By service, the version of its `run`. */
  readonly versions = new Map<string, number>();
  readonly #starting = new Set<string>();
  readonly #stopped = new Set<string>();
  /** Endpoints of runs that were killed: what was in flight there is no business of the next run of the replica. */
  readonly #killed = new Set<string>();
  readonly #cordonedAt = new Map<string, number>();
  /** By service, until when nothing voluntary may happen to it: the clock's ms. */
  readonly #frozenUntil = new Map<string, number>();
  /** … and until when the scaler may not act. */
  readonly #cooldownUntil = new Map<string, number>();

  constructor(world: World, edges: FakeEdge[]) {
    this.world = world;
    this.edges = edges;
    for (const each of edges) this.observe(each);
    const { runtime } = world;
    runtime.onStart = (name) => this.#onStart(name);
    runtime.onStarted = (name) => this.#starting.delete(name);
    runtime.onStop = (name, id) => this.#onStop(name, id);
    runtime.onPause = (name, id) => this.#onStop(name, id);
    world.control.subscribe(({ type, service: name, data }) => {
      if (type === 'retiring')
        this.#onRetiring(String(name), String(data['replicas']).split(', '), String(data['reason']));
      if (type === 'scaled' && 'decision' in data) this.#onScaled(String(name));
    });
  }

  /** An operator has it left as it is, or not any more. */
  onFrozen(name: string, forMs: number): void {
    this.#frozenUntil.set(name, this.world.clock.now() + forMs);
  }

  /** An operator has so many of it run. */
  onScaledByHand(name: string): void {
    this.#cooldownUntil.set(name, this.world.clock.now() + COOLDOWN_MS);
  }

  observe(one: FakeEdge): void {
    one.onDispatch = (_, endpoint) => {
      if (this.#stopped.has(endpoint)) this.violations.push(`dispatched to ${endpoint}, which was stopped`);
      const view = this.edges.flatMap((each) => each.service(endpoint.split('-')[0] ?? '').state.endpoints);
      const port = view.find(({ id }) => id === endpoint)?.port ?? 0;
      if (!this.world.runtime.answers(port)) this.violations.push(`dispatched to ${endpoint}, which is not ready`);
    };
  }

  /** A running replica is about to be killed. */
  onKill(name: string): void {
    for (const each of this.edges) {
      const { counts, state } = each.service(name.split('-')[0] ?? '');
      for (const endpoint of [...counts.keys(), ...state.endpoints.map(({ id }) => id)])
        if (endpoint.startsWith(`${name}#`)) this.#killed.add(endpoint);
    }
  }

  /** Checked after every step. */
  check(): void {
    const { running } = this.world.runtime;
    for (const name of SERVICES) {
      const live = running.filter((each) => each.startsWith(`${name}-`)).length;
      if (live > this.#most(name)) this.violations.push(`${live} of ${name}`);
    }
    for (const name of SERVICES) {
      const there = [...running, ...this.world.runtime.paused].filter((each) => each.startsWith(`${name}-`)).length;
      if (there > this.#most(name)) this.violations.push(`${there} of ${name}, with those that are paused`);
    }
    if (running.length > BUDGET) this.violations.push(`${running.length} replicas in all`);
  }

  #onStart(name: string): void {
    const { runtime } = this.world;
    if (this.#starting.has(name)) this.violations.push(`${name} is started twice at once`);
    if (runtime.running.includes(name)) this.violations.push(`${name} is started while it runs`);
    this.#starting.add(name);
    const live = new Set([...runtime.running, ...this.#starting]);
    const mine = [...live].filter((each) => each.startsWith(`${name.split('-')[0]}-`));
    if (mine.length > this.#most(name.split('-')[0] ?? '')) this.violations.push(`start of ${name} beyond max`);
    if (live.size > BUDGET) this.violations.push(`start of ${name} beyond the budget`);
    if (this.#starting.size > PERMITS) this.violations.push(`${this.#starting.size} starts at once`);
  }

  /** One more during a change of `run`. */
  #most(name: string): number {
    return (MAX[name] ?? 0) + Number(this.versions.has(name));
  }

  /** The scaler did something. */
  #onScaled(name: string): void {
    const now = this.world.clock.now();
    if (!this.#allReport()) this.violations.push(`scaled ${name} without data`);
    if (now < (this.#frozenUntil.get(name) ?? 0)) this.violations.push(`scaled ${name} while it was frozen`);
    if (now < (this.#cooldownUntil.get(name) ?? 0)) this.violations.push(`scaled ${name} too soon after a hand did`);
  }

  #onRetiring(service: string, replicas: string[], reason: string): void {
    const now = this.world.clock.now();
    if (reason === 'idle' && !this.#allReport()) this.violations.push(`${replicas} put to sleep without data`);
    if (VOLUNTARY.includes(reason) && now < (this.#frozenUntil.get(service) ?? 0))
      this.violations.push(`${replicas} retired (${reason}) while it was frozen`);
    if (reason === 'given-up' && now < (this.#cooldownUntil.get(service) ?? 0))
      this.violations.push(`${replicas} given up too soon after a hand set their number`);
    for (const name of replicas) this.#cordonedAt.set(name, this.world.clock.now());
  }

  #onStop(name: string, id: string): void {
    const serviceName = name.split('-')[0] ?? '';
    const drained = this.world.clock.now() - (this.#cordonedAt.get(name) ?? 0) >= DRAIN_MS;
    for (const each of this.edges) {
      const { counts, state } = each.service(serviceName);
      const isReady = (id: string) => state.endpoints.some((view) => view.id === id && view.state === 'ready');
      if (state.endpoints.some(({ id }) => id.startsWith(`${name}#`) && !this.#killed.has(id) && isReady(id))) {
        this.violations.push(`${name} (${id}) stopped while an edge calls it ready`);
      }
      for (const [endpoint, inFlight] of counts) {
        if (!endpoint.startsWith(`${name}#`) || this.#killed.has(endpoint)) continue;
        this.#stopped.add(endpoint);
        if (inFlight > 0 && !drained) this.violations.push(`${name} stopped with ${inFlight} in flight`);
      }
    }
  }

  #allReport(): boolean {
    return this.edges.every(({ reports, mutedAt }) => reports || this.world.clock.now() - mutedAt <= 3000);
  }
}

async function perform(step: Step, watch: Watch): Promise<void> {
  const { world, edges, requests } = watch;
  const { runtime } = world;
  switch (step.do) {
    case 'request':
      for (let i = 0; i < step.count; i++) {
        const request = edges[step.edge]?.request(step.service, { bodyMs: step.bodyMs });
        if (request !== undefined) requests.push(request);
      }
      break;
    case 'abort': {
      const open = requests.filter(({ outcome }) => outcome === undefined);
      const request = open[step.index % Math.max(1, open.length)];
      for (const each of edges) if (request !== undefined && each.owns(request)) each.abort(request);
      break;
    }
    case 'kill': {
      const there = [...runtime.running, ...runtime.paused];
      const name = there[step.index % Math.max(1, there.length)];
      if (name === undefined) break;
      watch.onKill(name);
      runtime.exit(name);
      break;
    }
    case 'others-pause': {
      const name = runtime.running[step.index % Math.max(1, runtime.running.length)];
      if (name === undefined) break;
      watch.onKill(name);
      runtime.freeze(name);
      break;
    }
    case 'others-unpause': {
      const name = runtime.paused[step.index % Math.max(1, runtime.paused.length)];
      if (name !== undefined) runtime.thaw(name);
      break;
    }
    case 'deaf':
      runtime.behaviour.isDeafAfterPause = step.isDeaf;
      break;
    case 'slow-pause':
      Object.assign(runtime.behaviour, { pauseMs: step.pauseMs, resumeMs: step.resumeMs });
      break;
    case 'fail-next':
      for (let i = 0; i < step.count; i++) runtime.behaviour.failures.push(new PilotlightError('RUNTIME_FAILED', 'no'));
      break;
    case 'slow-start':
      Object.assign(runtime.behaviour, { startMs: step.startMs, readyMs: step.readyMs });
      break;
    case 'never-ready':
      runtime.behaviour.readyMs = 'never';
      break;
    case 'slow-stop':
      runtime.behaviour.stopMs = step.stopMs;
      break;
    case 'unreachable':
      runtime.behaviour.unreachable = true;
      await world.run(step.ms);
      runtime.behaviour.unreachable = false;
      // What ended meanwhile is found in the list.
      runtime.emit({ type: 'restored' });
      break;
    case 'mute': {
      const muted = edges[step.edge];
      muted?.mute(step.ms);
      break;
    }
    case 'replace-edge': {
      // From its end on only the other one has anything to say.
      const old = edges[step.edge];
      edges[step.edge] = edges[1 - step.edge] as FakeEdge;
      old?.die();
      await world.run(1);
      const fresh = world.addEdge(`edge-${step.edge + 1}`);
      edges[step.edge] = fresh;
      watch.observe(fresh);
      break;
    }
    case 'new-run': {
      const { versions } = watch;
      versions.set(step.service, (versions.get(step.service) ?? 1) + 1);
      world.control.reconfigure(settingsOf(versions));
      break;
    }
    case 'sicken':
      for (const each of edges) {
        each.isUnhealthy = (endpoint) => step.replica !== undefined && endpoint.startsWith(step.replica);
      }
      break;
    case 'short-lived':
      runtime.behaviour.exitAfterMs = step.lifeMs;
      break;
    case 'wake':
    case 'sleep':
      await world.settle(world.control[step.do](step.service));
      break;
    case 'scale': {
      const isAllowed =
        step.to === 0 || (step.to >= Math.max(1, MIN[step.service] ?? 0) && step.to <= (MAX[step.service] ?? 0));
      const scaled = world.settle(world.control.scale(step.service, step.to, false));
      if (!isAllowed) {
        await expect(scaled).rejects.toThrow('replicas, or 0 to sleep');
        break;
      }
      if (step.to > 0) watch.onScaledByHand(step.service);
      const { to } = await scaled;
      expect(to).toBe(step.to);
      break;
    }
    case 'freeze':
      watch.onFrozen(step.service, step.ms);
      await world.settle(world.control.freeze(step.service, step.ms, null, false));
      break;
    case 'unfreeze':
      watch.onFrozen(step.service, 0);
      await world.settle(world.control.unfreeze(step.service, false));
      break;
    case 'wait':
      await world.run(step.ms);
      break;
  }
  await world.run(1);
  watch.check();
}

function settingsOf(versions: ReadonlyMap<string, number>) {
  const scale = { idleMs: IDLE_MS, guards: { ...testGuards, warmUpMs: 0, cooldownMs: COOLDOWN_MS } };
  const common = (name: string) => ({
    run: testRun(versions.get(name)),
    health: { check: { kind: 'connect' as const }, intervalMs: 500, timeoutMs: 500, rise: 1, fall: 1 },
    timeouts: { drainMs: DRAIN_MS },
    ready: { ...testService('x').ready, timeoutMs: 6000 },
  });
  const services = [
    testService('plain', { ...common('plain'), scale: { ...scale, max: 2 } }),
    testService('slots', {
      ...common('slots'),
      run: { ...testRun(versions.get('slots')), standby: 'paused' },
      scale: { ...scale, max: 4, concurrency: 2 },
    }),
    testService('kept', { ...common('kept'), scale: { ...scale, max: 3, min: 1, initial: 2 } }),
  ];
  const budget = { replicas: BUDGET, concurrentStarts: PERMITS, startsPerMinute: 600, heldBytes: 2 ** 20 };
  return testSettings(services, { budget });
}

test('whatever happens, replicas stay within bounds, are never used or stopped at the wrong time, and all is quiet in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), pace, async (steps, behaviour) => {
      const world = new World(settingsOf(new Map()));
      Object.assign(world.runtime.behaviour, behaviour);
      await world.start();
      const watch = new Watch(world, [world.edge, world.addEdge('edge-2')]);
      for (const each of steps) await perform(each, watch);

      // Nothing more is asked for, and nothing is in the way: after the idle time and the drain only `min` is left.
      Object.assign(world.runtime.behaviour, {
        startMs: 50,
        readyMs: 50,
        stopMs: 50,
        failures: [],
        exitAfterMs: undefined,
        isDeafAfterPause: false,
      });
      await perform({ do: 'sicken', replica: undefined }, watch);
      for (const name of SERVICES) await perform({ do: 'unfreeze', service: name }, watch);
      for (const name of SERVICES) await world.settle(world.control.wake(name));
      await world.run(150_000, 1000);
      watch.check();
      expect(watch.violations).toEqual([]);
      expect(world.errors).toEqual([]);
      expect(watch.requests.filter(({ outcome }) => outcome === undefined)).toEqual([]);
      for (const name of SERVICES) {
        const running = world.runtime.running.filter((each) => each.startsWith(`${name}-`));
        expect([name, running.length]).toEqual([name, MIN[name]]);
        for (const each of watch.edges) expect(each.service(name).held).toEqual([]);
        // None is frozen that nobody knows of.
        const { replicas } = await world.status(name);
        const paused = replicas.filter(({ state }) => state === 'paused').map(({ id }) => id);
        expect(paused).toEqual(world.runtime.paused.filter((each) => each.startsWith(`${name}-`)).sort());
      }
      await world.settle(world.control.shutdown(new AbortController().signal));
      expect([world.runtime.running, world.runtime.paused]).toEqual([[], []]);
      world.life.abort();
    }),
    { numRuns: 50 },
  );
}, 600_000);
