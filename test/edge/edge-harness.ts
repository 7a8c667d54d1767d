import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createEdge, type Edge } from '../../src/edge/edge.ts';
import type { AccessRecord, SessionRecord } from '../../src/model/access.ts';
import type { ControlMessage, EdgeMessage, EdgeReport, ServiceReport } from '../../src/model/link.ts';
import type { Logger } from '../../src/model/observe.ts';
import type { EndpointView, RouteView, ServicePolicy, ServiceState } from '../../src/model/snapshot.ts';
import type { TracedRequest } from '../../src/model/traces.ts';
import { type ChannelEnd, createChannel } from '../../src/util/channel.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { type ListenChange, listenSettings } from '../support/listen-settings.ts';
import { Client, type Origin, rest, until } from './wire.ts';

type PolicyChange = Partial<Omit<ServicePolicy, 'hold' | 'timeouts' | 'retries'>> & {
  hold?: Partial<ServicePolicy['hold']>;
  timeouts?: Partial<ServicePolicy['timeouts']>;
  retries?: Partial<ServicePolicy['retries']>;
};

/** The policy of a service `app` as the defaults make it, with changes. */
export function policy(change: PolicyChange = {}): ServicePolicy {
  return {
    name: 'app',
    wakeable: true,
    concurrency: 0,
    shed: [503],
    balance: 'least-request',
    hashOn: { kind: 'client' },
    slowStartMs: 0,
    limits: { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 },
    wake: [],
    upstreamHost: undefined,
    engine: 'native',
    allowHalfOpen: false,
    ...change,
    hold: { max: 1000, maxBytes: 16 * 2 ** 20, perClient: 0, timeoutMs: 'auto', page: 'auto', ...change.hold },
    timeouts: {
      connectMs: 2000,
      firstByteMs: 60_000,
      streamMs: 300_000,
      tunnelMs: 3_600_000,
      drainMs: 30_000,
      ...change.timeouts,
    },
    retries: { max: 1, budget: 0.1, idempotent: false, ...change.retries },
  };
}

export interface TableChange {
  routes?: RouteView[];
  trustedProxies?: string[];
  heldBytes?: number;
  compressions?: number;
  states?: ServiceState[];
}

type StateChange = Partial<ServiceState>;

/** A ready endpoint where the origin listens. */
export function at(origin: Origin | { port: number }, change: Partial<EndpointView> = {}): EndpointView {
  const { port } = origin;
  return { id: `e-${port}`, host: '127.0.0.1', port, state: 'ready', weight: 1, start: null, ...change };
}

export function state(change: StateChange = {}): ServiceState {
  return {
    service: 'app',
    endpoints: [],
    holdTimeoutMs: 30_000,
    starting: false,
    inFlightLimit: null,
    expectedStartMs: null,
    blocked: null,
    failures: 0,
    ...change,
  };
}

type Of<Type extends EdgeMessage['type']> = Extract<EdgeMessage, { type: Type }>;

/**
 * A real edge on real sockets and virtual time, with the control side in the test's hands. Time passes only by
 * `clock.advance`, so that deadlines are exact and nothing else depends on how fast the machine is.
 */
export class EdgeHarness {
  readonly clock = new VirtualClock();
  readonly edge: Edge;
  /** What went to the access log. */
  readonly accessed: AccessRecord[] = [];
  readonly sessions: SessionRecord[] = [];
  /** What was traced of those that were sampled. */
  readonly traced: TracedRequest[] = [];
  /** What the edge said to the operator, without its fields. */
  readonly said: string[] = [];
  readonly messages: EdgeMessage[] = [];
  readonly link: ChannelEnd<EdgeMessage, ControlMessage>;
  port = 0;
  /** What the edge accepted and nobody has claimed yet, by the address of the other end. */
  readonly #accepted = new Map<string, Socket>();
  /** The edge's ends of the clients' connections. */
  readonly #ends = new WeakMap<Client, Socket>();
  #version = 0;
  #collects = 0;
  #closed = false;

  /** @param sample share of requests that are traced; undefined: nothing is */
  constructor(sample?: number) {
    const [edgeEnd, controlEnd] = createChannel<ControlMessage, EdgeMessage>();
    this.link = controlEnd;
    this.clock.advance(1000);
    controlEnd.onMessage((message) => this.messages.push(message));
    const access = {
      write: (record: AccessRecord) => void this.accessed.push(record),
      writeSession: (record: SessionRecord) => void this.sessions.push(record),
      takeLost: () => 0,
    };
    const request = (traced: TracedRequest) => void this.traced.push(traced);
    const traces = sample === undefined ? undefined : { sample, request, start: () => undefined, takeLost: () => 0 };
    this.edge = createEdge({ link: edgeEnd, clock: this.clock, logger: this.#logger(), access, traces });
    subscribe('net.server.socket', this.#onAccepted);
  }

  #logger(): Logger {
    const say = (_: object, line: string) => void this.said.push(line);
    return { debug: () => undefined, info: say, warn: say, error: say };
  }

  /** An edge that listens, and serves the policies (one service `app` on every host unless told). */
  static async start(
    policies: ServicePolicy | ServicePolicy[] = policy(),
    table: TableChange = {},
    timeouts: ListenChange['timeouts'] = {},
    listen: Omit<ListenChange, 'timeouts'> = {},
    sample?: number,
  ): Promise<EdgeHarness> {
    const harness = new EdgeHarness(sample);
    onTestFinished(() => harness.close());
    await harness.listen(timeouts, listen);
    harness.table(policies, table);
    return harness;
  }

  /** As `start`, with these endpoints ready from the beginning. */
  static async ready(
    origins: Origin | Origin[],
    change: PolicyChange = {},
    table: TableChange = {},
  ): Promise<EdgeHarness> {
    const harness = await EdgeHarness.start(policy(change), table);
    harness.state({ endpoints: [origins].flat().map((origin) => at(origin)) });
    return harness;
  }

  async listen(timeouts: ListenChange['timeouts'] = {}, listen: Omit<ListenChange, 'timeouts'> = {}): Promise<void> {
    const [bound] = await this.edge.listen([listenSettings({ ...listen, timeouts })]);
    this.port = (bound as { port: number }).port;
  }

  table(policies: ServicePolicy | ServicePolicy[], change: TableChange = {}): void {
    const services = [policies].flat();
    const { states = [], ...rest } = change;
    const routes = services.slice(0, 1).map(({ name }) => ({ host: undefined, path: '/', service: name }));
    const table = { routes, services, trustedProxies: [], heldBytes: 64 * 2 ** 20, ...rest };
    this.link.post({ type: 'table', version: ++this.#version, table, states });
  }

  /** Sends a service's state. @returns the version */
  state(change: StateChange = {}): number {
    this.link.post({ type: 'service', version: ++this.#version, state: state(change) });
    return this.#version;
  }

  send(message: ControlMessage): void {
    this.link.post(message);
  }

  /** A connection that the edge has accepted, and not closed at once: for such, see `Client.open`. */
  async connect(host?: string, localAddress?: string): Promise<Client> {
    const client = await Client.open(this.port, host, localAddress);
    const { localAddress: address, localPort: port } = client.socket;
    const name = `${address} ${port}`;
    await until(() => this.#accepted.has(name), 'a connection at the edge');
    this.#ends.set(client, this.#accepted.get(name) as Socket);
    this.#accepted.delete(name);
    return client;
  }

  readonly #onAccepted = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort === this.port) this.#accepted.set(`${socket.remoteAddress} ${socket.remotePort}`, socket);
  };

  /** Waits until the edge has read all that a client wrote, or is done with its connection. */
  async taken(client: Client): Promise<void> {
    const end = this.#ends.get(client) as Socket;
    await until(() => end.destroyed || end.bytesRead >= client.socket.bytesWritten, 'the bytes at the edge');
  }

  /** Half-closes a client, and waits until the edge knows of it. */
  async end(client: Client): Promise<void> {
    client.end();
    const end = this.#ends.get(client) as Socket;
    await until(() => end.readableEnded || end.destroyed, 'the end at the edge');
  }

  /** Bytes that wait at the edge for a client to take them. */
  waiting(client: Client): number {
    return (this.#ends.get(client) as Socket).writableLength;
  }

  /** Messages of one type so far. */
  all<Type extends EdgeMessage['type']>(type: Type): Of<Type>[] {
    return this.messages.filter((message): message is Of<Type> => message.type === type);
  }

  /** The first message of a type that fits, as soon as it is there. */
  async message<Type extends EdgeMessage['type']>(
    type: Type,
    fits: (message: Of<Type>) => boolean = () => true,
  ): Promise<Of<Type>> {
    await until(() => this.all(type).some(fits), `a message ${type}`);
    return this.all(type).find(fits) as Of<Type>;
  }

  /** Asks for a report of now. */
  async report(): Promise<EdgeReport> {
    const collect = ++this.#collects;
    this.link.post({ type: 'collect', collect });
    return this.message('report', (report) => report.collect === collect);
  }

  /** The part of a report of now about one service. */
  async service(name = 'app'): Promise<ServiceReport | undefined> {
    return partOf(await this.report(), name);
  }

  /** One counter, summed over all reports so far and one of now. */
  async sum(counter: 'arrivals' | 'completions' | 'errors' | 'resets' | 'shed' | 'retries') {
    await this.report();
    const parts = this.all('report').flatMap(({ services }) => services);
    return parts.reduce((sum, part) => sum + part[counter], 0);
  }

  /** Responses by status, over all reports so far and one of now. */
  async codes(name = 'app'): Promise<Record<number, number>> {
    await this.report();
    const codes: Record<number, number> = {};
    for (const report of this.all('report')) {
      const sparse = report.services.find(({ service }) => service === name)?.codes ?? [];
      for (let i = 0; i + 1 < sparse.length; i += 2) {
        const code = sparse[i] as number;
        codes[code] = (codes[code] ?? 0) + (sparse[i + 1] as number);
      }
    }
    return codes;
  }

  /** Waits until as many requests are held. */
  held(count: number, name = 'app'): Promise<void> {
    return this.#untilReported(count, 'held', (report) => partOf(report, name)?.held ?? 0);
  }

  /** Waits until as many requests are in flight. */
  inFlight(count: number, name = 'app'): Promise<void> {
    return this.#untilReported(count, 'in flight', (report) => partOf(report, name)?.inFlight ?? 0);
  }

  /** Waits until as many client connections are open at the edge. */
  connections(count: number): Promise<void> {
    return this.#untilReported(count, 'client connections', (report) => report.connections);
  }

  async #untilReported(count: number, what: string, read: (report: EdgeReport) => number): Promise<void> {
    const end = performance.now() + 10_000;
    for (let is = read(await this.report()); is !== count; is = read(await this.report())) {
      if (performance.now() > end) throw new Error(`${is} ${what}, not ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Lets time pass in steps, with a turn for the sockets, and a moment for the kernel, in between. */
  async pass(ms: number, step = 50): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await rest(1);
    }
  }

  /** Closes the edge and checks that it leaves no timer behind. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    unsubscribe('net.server.socket', this.#onAccepted);
    await this.edge.close();
    await until(() => this.clock.pending === 0, 'no timer left').catch(() => {
      throw new Error(`${this.clock.pending} timers left after close`);
    });
  }
}

function partOf(report: EdgeReport, name: string): ServiceReport | undefined {
  return report.services.find(({ service }) => service === name);
}
