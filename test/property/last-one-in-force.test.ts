import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConsulService } from '../../src/discovery/consul/settings.ts';
import { createStaticSource } from '../../src/discovery/static/source.ts';
import { createEdge, type Edge } from '../../src/edge/edge.ts';
import type { DiscoveryQuery, DiscoverySource, EndpointSet } from '../../src/model/discovery.ts';
import type { ControlMessage, EdgeMessage } from '../../src/model/link.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { ServiceSettings } from '../../src/model/settings.ts';
import type { EndpointView, ServiceState } from '../../src/model/snapshot.ts';
import { type ChannelEnd, createChannel } from '../../src/util/channel.ts';
import type { VirtualClock } from '../../src/util/virtual-clock.ts';
import { ShareOfBounds } from '../../src/workers/share.ts';
import { testRun, testService, testSettings } from '../control/support/settings.ts';
import { World } from '../control/support/world.ts';
import { listenSettings } from '../support/listen-settings.ts';

/** What one configuration says. A list counts into the origins; undefined: there is no such service. */
interface Configuration {
  fixed: { at: number[]; host: string | undefined } | undefined;
  /** Consul's, under one of two names, and some that are always there. */
  found: { name: 'one' | 'two'; at: number[]; strip: boolean } | undefined;
  run: { version: number; max: number } | undefined;
}

type Step =
  | { do: 'configure'; next: Configuration }
  | { do: 'list'; name: 'one' | 'two'; at: number[] }
  /** The same configuration once more. */
  | { do: 'again' }
  | { do: 'request' | 'sleep' | 'kill' }
  | { do: 'replace'; edge: 0 | 1 };

const ORIGINS = 3;
const origins: { port: number; server: ReturnType<typeof createServer> }[] = [];

beforeAll(async () => {
  for (let index = 0; index < ORIGINS; index++) {
    const server = createServer((request, response) => {
      response.end(JSON.stringify({ index, host: request.headers.host, path: request.url }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origins.push({ port: (server.address() as AddressInfo).port, server });
  }
});

afterAll(() => {
  for (const { server } of origins) server.close();
});

/** Few, so that the same ones come again soon. */
const some = fc.constantFrom<number[]>([0], [1], [0, 1], []);
const name = fc.constantFrom('one' as const, 'one' as const, 'two' as const);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 6 });
const configuration: fc.Arbitrary<Configuration> = fc.record({
  fixed: maybe(
    fc.record({ at: fc.constantFrom<number[]>([0], [1], [0, 1], [2]), host: fc.constantFrom(undefined, 'inner.test') }),
  ),
  found: maybe(fc.record({ name, at: fc.constantFrom<number[]>([], [2]), strip: fc.boolean() })),
  run: maybe(fc.record({ version: fc.integer({ min: 1, max: 2 }), max: fc.integer({ min: 1, max: 2 }) })),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('list' as const), name, at: some }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('configure' as const), next: configuration }) },
  { weight: 3, arbitrary: fc.constant({ do: 'again' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('request' as const, 'sleep' as const, 'kill' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('replace' as const), edge: fc.constantFrom(0 as const, 1) }) },
);
/** Around what is coalesced (50 ms) and what a link may take. */
const pauseMs = fc.constantFrom(0, 0, 1, 3, 8, 12, 20, 49, 51, 200);

test('whatever comes from whichever source, at whatever spacing, every edge ends with the last of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      configuration,
      fc.array(fc.tuple(step, pauseMs), { minLength: 5, maxLength: 25 }),
      fc.constantFrom(0, 2, 30, 120),
      async (first, steps, delayMs) => {
        const proxy = await Whole.begin(first, delayMs);
        try {
          for (const [each, ms] of steps) {
            await proxy.take(each);
            await proxy.world.run(ms, 1);
          }
          await proxy.world.run(2000);
          await proxy.verify();
        } finally {
          await proxy.close();
        }
      },
    ),
    // A machine under load does fewer.
    { numRuns: 300, interruptAfterTimeLimit: 30_000 },
  );
}, 240_000);

/** A catalogue as discovery sees it: tells what is new of what is followed, and what it knows when it is followed. */
class Catalogue implements DiscoverySource {
  readonly name = 'consul';
  readonly title = 'Consul';
  readonly listed = new Map<string, EndpointSet['endpoints']>();
  readonly #pushed = new Map<string, string>();
  #queries: DiscoveryQuery<ConsulService>[] = [];
  #emit: (set: EndpointSet) => void = () => {};

  follow(queries: DiscoveryQuery<ConsulService>[]): void {
    this.#queries = queries;
    for (const service of [...this.#pushed.keys()]) {
      if (queries.some((query) => query.service === service)) continue;
      this.#emit({ service, source: 'consul', endpoints: [] });
      this.#pushed.delete(service);
    }
    this.#pushAll();
  }

  run(emit: (set: EndpointSet) => void): void {
    this.#emit = emit;
    this.#pushAll();
  }

  answered(): boolean {
    return true;
  }

  staleness(): number {
    return 0;
  }

  list(name: string, at: readonly number[]): void {
    this.listed.set(name, at.map(addressOf));
    this.#pushAll();
  }

  #pushAll(): void {
    for (const { service, sought } of this.#queries) {
      const endpoints = this.listed.get(sought.service) ?? [];
      if (this.#pushed.get(service) === JSON.stringify(endpoints)) continue;
      this.#pushed.set(service, JSON.stringify(endpoints));
      this.#emit({ service, source: 'consul', endpoints });
    }
  }
}

/** A real edge on real sockets, at the far end of a link that may be a process's pipe. */
interface Attached {
  edge: Edge;
  port: number;
  /** What it was told last of each service. */
  states: Map<string, ServiceState>;
}

/** A control plane with its sources, a fake edge that starts and probes replicas, and two real edges. */
class Whole {
  readonly world: World;
  readonly #catalogue = new Catalogue();
  readonly #delayMs: number;
  readonly #edges: Attached[] = [];
  readonly #closing: Promise<void>[] = [];
  #last: Configuration;

  private constructor(first: Configuration, delayMs: number) {
    this.#last = first;
    this.#delayMs = delayMs;
    let clock: VirtualClock | undefined;
    const fixed = createStaticSource({
      // The world makes the clock, and has to be given the sources before.
      clock: {
        now: () => clock?.now() ?? 0,
        wall: () => 0,
        after: () => ({ cancel() {} }),
        every: () => ({ cancel() {} }),
      },
      logger: silentLogger,
    });
    this.world = new World(settingsOf(first), { sources: [fixed, this.#catalogue] });
    clock = this.world.clock;
  }

  static async begin(first: Configuration, delayMs: number): Promise<Whole> {
    const proxy = new Whole(first, delayMs);
    await proxy.#attach(0);
    await proxy.#attach(1);
    await proxy.world.start();
    return proxy;
  }

  async take(step: Step): Promise<void> {
    const { world } = this;
    switch (step.do) {
      case 'configure':
        this.#last = step.next;
        world.control.reconfigure(settingsOf(step.next));
        break;
      case 'again':
        world.control.reconfigure(settingsOf(this.#last));
        break;
      case 'list':
        this.#catalogue.list(step.name, step.at);
        break;
      case 'request':
        if (this.#last.run !== undefined) world.edge.request('run');
        break;
      case 'sleep':
        // Its answer waits for the edges' figures, and is of no interest.
        if (this.#last.run !== undefined) world.control.sleep('run').catch(() => undefined);
        break;
      case 'kill':
        for (const { service, ordinal } of await world.runtime.list()) world.runtime.exit(`${service}-${ordinal}`);
        break;
      case 'replace':
        await this.#attach(step.edge);
        break;
    }
  }

  async verify(): Promise<void> {
    const { fixed, found, run } = this.#last;
    expect(this.world.errors).toEqual([]);
    const there = (name: string) => this.#catalogue.listed.get(name) ?? [];
    const listed = found && [...found.at.map(addressOf), ...there(found.name)];
    for (const { port, states } of this.#edges) {
      await expectAnswers(port, 'fixed.test', fixed?.at, { host: fixed?.host ?? 'fixed.test', path: '/f' });
      const at = listed && [...new Set(listed.map((each) => origins.findIndex((origin) => origin.port === each.port)))];
      await expectAnswers(port, 'found.test', at, { host: 'found.test', path: found?.strip ? '/' : '/f' });
      if (run === undefined) continue;
      // Replicas are not real: what it was told of them must be what the edge was told that is asked for every start.
      const told = this.world.edge.service('run').state;
      expect(timeless(states.get('run'))).toEqual(timeless(told));
      const { replicas } = await this.world.status('run');
      expect(
        told.endpoints
          .filter(({ state }) => state === 'ready')
          .map(({ host, port }) => `${host}:${port}`)
          .sort(),
      ).toEqual(
        replicas
          .filter(({ state }) => state === 'ready')
          .map(({ address }) => address)
          .sort(),
      );
    }
  }

  async close(): Promise<void> {
    for (const { edge } of this.#edges) this.#closing.push(edge.close());
    this.world.life.abort();
    await Promise.all(this.#closing);
  }

  /** Puts a new edge in a place: the first is in this process, the other one behind a pipe that takes its time. */
  async #attach(index: 0 | 1): Promise<void> {
    const { clock, control } = this.world;
    const before = this.#edges[index];
    if (before !== undefined) this.#closing.push(before.edge.close());
    const [mine, theirs] = createChannel<EdgeMessage, ControlMessage>();
    const states = new Map<string, ServiceState>();
    const watched = index === 0 ? theirs : piped(theirs, clock, this.#delayMs);
    const link: ChannelEnd<ControlMessage, EdgeMessage> = {
      post: (message) => watched.post(message),
      onClose: (listener) => watched.onClose(listener),
      close: () => watched.close(),
      onMessage: (listener) =>
        watched.onMessage((message) => {
          if (message.type === 'service') states.set(message.state.service, message.state);
          if (message.type === 'table') {
            states.clear();
            for (const state of message.states) states.set(state.service, state);
          }
          listener(message);
        }),
    };
    const edge = createEdge({ link, clock, logger: silentLogger });
    const [address] = await edge.listen([listenSettings()]);
    this.#edges[index] = { edge, port: address?.port ?? 0, states };
    control.attach(`real-${index}`, mine);
  }
}

/** As a worker gets it: as JSON, with its part of the bounds, late but in order. */
function piped<In, Out>(end: ChannelEnd<In, Out>, clock: VirtualClock, delayMs: number): ChannelEnd<In, Out> {
  const share = new ShareOfBounds({ index: 0, of: 2 });
  const late =
    <Message>(deliver: (message: Message) => void) =>
    (message: Message) => {
      const copy = JSON.parse(JSON.stringify(message)) as Message;
      clock.after(delayMs, () => deliver(copy));
    };
  return {
    post: late<Out>((message) => end.post(message)),
    onMessage: (listener) =>
      end.onMessage(late<In>((message) => listener(share.message(message as ControlMessage) as In))),
    onClose: (listener) => end.onClose(listener),
    close: () => end.close(),
  };
}

/** Every origin that is listed answers, and no other; without any the service is there and cannot answer. */
async function expectAnswers(
  port: number,
  host: string,
  at: number[] | undefined,
  seen: { host: string; path: string },
) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answers = [];
  for (let i = 0; i < Math.max(1, at?.length ?? 0); i++) answers.push(await ask(agent, port, host));
  agent.destroy();
  if (at === undefined || at.length === 0) {
    expect(answers.map(({ status }) => status)).toEqual([at === undefined ? 404 : 503]);
    return;
  }
  const bodies = answers.map(({ text }) => JSON.parse(text) as { index: number; host: string; path: string });
  expect(bodies.map(({ index }) => index).sort()).toEqual([...at].sort());
  for (const body of bodies) expect(body).toMatchObject(seen);
}

async function ask(agent: Agent, port: number, host: string): Promise<{ status: number; text: string }> {
  const request = get({ agent, host: '127.0.0.1', port, path: '/f', headers: { host } });
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

function addressOf(index: number): { host: string; port: number; weight: number } {
  return { host: '127.0.0.1', port: origins[index]?.port ?? 0, weight: 1 };
}

function settingsOf({ fixed, found, run }: Configuration) {
  const services: ServiceSettings[] = [];
  const base = { run: undefined, balance: 'round-robin' as const };
  if (fixed !== undefined) {
    const endpoints = { static: { addresses: fixed.at.map(addressOf) } };
    services.push(testService('fixed', { ...base, endpoints, upstreamHost: fixed.host }));
  }
  if (found !== undefined) {
    const endpoints = {
      consul: { service: found.name, tag: undefined },
      static: { addresses: found.at.map(addressOf) },
    };
    const headers = { request: { set: [], remove: [] }, response: { set: [], remove: [] } };
    const rules = {
      redirect: undefined,
      allow: [],
      basicAuth: undefined,
      rate: undefined,
      headers,
      strip: found.strip,
    };
    const route = { host: 'found.test', path: found.strip ? '/f' : '/', rules };
    services.push(testService('found', { ...base, endpoints, routes: [route] }));
  }
  if (run !== undefined) {
    services.push(testService('run', { run: testRun(run.version), scale: { max: run.max, idleMs: 'never' } }));
  }
  return testSettings(services);
}

/** A state without what is told as ages. */
function timeless(state: ServiceState | undefined): unknown {
  const endpoints = state?.endpoints.map(({ start: _, ...view }: EndpointView) => view);
  return { ...state, endpoints, blocked: state?.blocked !== null };
}
