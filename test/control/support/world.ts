import type { Control, ControlOptions } from '../../../src/control/control.ts';
import { createControl } from '../../../src/control/create-control.ts';
import type { PilotEvent } from '../../../src/model/events.ts';
import type { ControlMessage, EdgeMessage } from '../../../src/model/link.ts';
import type { Labels, Logger, MetricName, Metrics } from '../../../src/model/observe.ts';
import type { ServiceSettings, Settings } from '../../../src/model/settings.ts';
import type { ServiceStatus } from '../../../src/model/status.ts';
import { createChannel } from '../../../src/util/channel.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeEdge } from './fake-edge.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { testSettings } from './settings.ts';

/** Adds up what is counted, and keeps the last value of gauges. */
export class FakeMetrics implements Metrics {
  readonly values = new Map<string, number>();
  readonly forgotten: string[] = [];

  count(name: MetricName, labels: Labels, by: number): void {
    const key = keyOf(name, labels);
    this.values.set(key, (this.values.get(key) ?? 0) + by);
  }

  gauge(name: MetricName, labels: Labels, value: number): void {
    this.values.set(keyOf(name, labels), value);
  }

  observe(name: MetricName, labels: Labels, _seconds: number, count = 1): void {
    this.count(name, labels, count);
  }

  forget(service: string, name?: MetricName): void {
    if (name === undefined) this.forgotten.push(service);
    else this.values.delete(keyOf(name, { service }));
  }

  get(name: MetricName, labels: Labels): number {
    return this.values.get(keyOf(name, labels)) ?? 0;
  }
}

function keyOf(name: string, labels: Labels): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}

/** A control plane with a fake edge and a fake runtime, all on virtual time. */
export class World {
  readonly clock = new VirtualClock();
  readonly runtime: FakeRuntime;
  readonly metrics = new FakeMetrics();
  readonly events: PilotEvent[] = [];
  /** Errors that control logged: a test that does not expect any asserts that there are none. */
  readonly errors: string[] = [];
  readonly control: Control;
  readonly edge: FakeEdge;
  readonly life = new AbortController();

  constructor(services: ServiceSettings[] | Settings, options: Partial<ControlOptions> = {}, runtime = 'process') {
    this.runtime = new FakeRuntime(this.clock, runtime);
    const settings = Array.isArray(services) ? testSettings(services) : services;
    const logger: Logger = {
      debug() {},
      info() {},
      warn() {},
      error: (fields, message) => this.errors.push(`${message} ${JSON.stringify(fields)}`),
    };
    this.control = createControl({
      settings,
      clock: this.clock,
      logger,
      metrics: this.metrics,
      sources: [],
      instance: 'test',
      random: () => 0,
      ...options,
      runtimes: [...(options.runtimes ?? []), this.runtime],
    });
    this.control.subscribe((event) => this.events.push(event));
    this.edge = this.addEdge('edge-1');
  }

  /** As the constructor, and started. */
  static async started(services: ServiceSettings[] | Settings, options: Partial<ControlOptions> = {}): Promise<World> {
    const world = new World(services, options);
    await world.start();
    return world;
  }

  async start(): Promise<void> {
    const started = this.control.start(this.life.signal);
    await this.run(10);
    await started;
  }

  addEdge(name: string, end?: () => void): FakeEdge {
    const [mine, theirs] = createChannel<EdgeMessage, ControlMessage>();
    const edge = new FakeEdge(this.clock, theirs, this.runtime);
    this.control.attach(name, mine, end);
    return edge;
  }

  /**
   * Lets time pass, with all that it brings about.
   * @param stepMs what waits for no time may be late by so much
   */
  async run(ms: number, stepMs = 50): Promise<void> {
    await flush();
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      await this.clock.advanceAsync(Math.min(stepMs, end - this.clock.now()));
      await flush();
    }
  }

  /** Sends requests evenly for a while. */
  async load(service: string, perSecond: number, ms: number, edge = this.edge): Promise<void> {
    const timer = this.clock.every(1000 / perSecond, () => edge.request(service));
    await this.run(ms);
    timer.cancel();
  }

  /** The status as the admin API gets it. */
  async status(service: string): Promise<ServiceStatus> {
    return this.settle(this.control.service(service));
  }

  /** Lets time pass until the promise has settled. */
  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    const end = () => {
      settled = true;
    };
    promise.then(end, end);
    await flush();
    for (let i = 0; i < 1000 && !settled; i++) await this.run(10);
    return promise;
  }

  /** When an event of this kind happened first, the clock's ms. */
  timeOf(type: PilotEvent['type']): number {
    const event = this.events.find((each) => each.type === type);
    if (event === undefined) throw new Error(`nothing is ${type}`);
    return Date.parse(event.at) - (this.clock.wall() - this.clock.now());
  }

  messagesOf(type: PilotEvent['type']): string[] {
    return this.events.filter((event) => event.type === type).map(({ message }) => message);
  }
}

/** Lets everything run that waits for no time. */
function flush(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
