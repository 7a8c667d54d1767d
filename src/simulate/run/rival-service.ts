import { type AutoAbove, isLearning, newAutoAbove, thresholdOf, withCalm } from '../../control/scale/auto-above.ts';
import type { Decision } from '../../model/decision.ts';
import type { ServiceReport } from '../../model/link.ts';
import type { Runtime } from '../../model/runtime.ts';
import type { RunSettings, ServiceSettings } from '../../model/settings.ts';
import type { EndpointState, ServiceState } from '../../model/snapshot.ts';
import { LOAD_BEGINS_MS } from '../outcome.ts';
import type { Rival, RivalDecider } from '../policy.ts';
import { RivalWindow } from './rival-window.ts';

/** Who carries messages to the edge, and starts and stops replicas. */
export interface RivalContext {
  rival: Rival;
  runtime: Runtime;
  signal: AbortSignal;
  now(): number;
  wall(): number;
  /** Whether what the services share has room for one more replica. */
  hasRoom(): boolean;
  publish(state: ServiceState): void;
  probe(service: string, endpoint: string, port: number): void;
}

interface RivalReplica {
  ordinal: number;
  endpoint: string;
  /** The runtime's; undefined while it is being called. */
  id: string | undefined;
  port: number;
  state: 'starting' | EndpointState;
}

/** Carries out what a rival decides for one service, and keeps as many running as it decided last. */
export class RivalService {
  readonly decisions: Decision[] = [];
  readonly #context: RivalContext;
  readonly #settings: ServiceSettings;
  readonly #window: RivalWindow;
  readonly #decider: RivalDecider;
  /** `above: auto` is learnt for it as for Pilotlight: it has no such thing of its own. */
  #auto: AutoAbove | undefined;
  #replicas: RivalReplica[] = [];
  #wanted = 0;
  #count = 0;

  constructor(settings: ServiceSettings, context: RivalContext) {
    this.#settings = settings;
    this.#context = context;
    this.#window = new RivalWindow(settings.scale.latency.windowMs);
    this.#decider = context.rival.create();
  }

  /** Takes over what runs, by the runtime's ids, ordinals and ports. */
  begin(running: readonly { id: string; ordinal: number; port: number }[]): void {
    this.#replicas = running.map((each) => ({ ...each, endpoint: each.id, state: 'ready' }));
    this.#wanted = this.#held(running.length);
    this.#publish();
    this.reconcile();
  }

  hear(spanMs: number, report: ServiceReport): void {
    this.#window.add(this.#context.now(), spanMs, report);
    const { guards, latency } = this.#settings.scale;
    if (!isLearning(this.#settings)) return;
    const wall = this.#context.wall();
    this.#auto ??= newAutoAbove(latency.quantile, wall);
    for (const { calm } of report.endpoints) this.#auto = withCalm(this.#auto, calm, guards, wall);
  }

  /** From which time to first byte on the service counts as slow, ms. */
  get aboveMs(): number {
    return thresholdOf(this.#settings.scale, this.#auto).aboveMs;
  }

  decide(): void {
    const { scale, name } = this.#settings;
    const { min, max, latency } = scale;
    const now = this.#context.now();
    const ready = this.#replicas.filter(({ state }) => state === 'ready').length;
    const before = this.#wanted;
    const decided = this.#decider.decide({
      nowMs: this.#context.wall() - LOAD_BEGINS_MS,
      ready,
      starting: Math.max(0, before - ready),
      ...this.#window.take(),
      quantileMs: this.#window.quantile(now, latency.quantile),
      aboveMs: this.aboveMs,
      min,
      max,
    });
    this.#wanted = this.#held(decided);
    if (this.#wanted === before) return;
    this.decisions.push({
      id: `${name}-${this.decisions.length + 1}`,
      at: new Date(this.#context.wall()).toISOString(),
      service: name,
      kind: null,
      action: this.#wanted > before ? 'scale-up' : 'scale-down',
      from: before,
      to: this.#wanted,
      reason: `${this.#context.rival.name} wants ${decided}`,
      inputs: {},
      verdicts: [],
      dryRun: false,
      outcome: null,
    });
    this.reconcile();
  }

  onProbed(endpoint: string): void {
    const replica = this.#replicas.find((each) => each.endpoint === endpoint);
    if (replica?.state !== 'starting') return;
    replica.state = 'ready';
    this.#publish();
  }

  onDrained(endpoint: string): void {
    const replica = this.#replicas.find((each) => each.endpoint === endpoint);
    if (replica?.state === 'cordoned') this.#stop(replica);
  }

  onExited(id: string): void {
    this.#replicas = this.#replicas.filter((each) => each.id !== id);
    this.#publish();
  }

  /** How many there are, those that are being stopped included. */
  get size(): number {
    return this.#replicas.length;
  }

  /** Starts what is missing and has room; of too many, the youngest go. */
  reconcile(): void {
    const { run } = this.#settings;
    const serving = this.#replicas.filter(({ state }) => state === 'starting' || state === 'ready');
    for (let i = serving.length; i < this.#wanted && run !== undefined && this.#context.hasRoom(); i++) {
      void this.#start(run);
    }
    const surplus = serving.slice(this.#wanted);
    for (const replica of surplus) {
      const wasReady = replica.state === 'ready';
      replica.state = 'cordoned';
      if (!wasReady) this.#stop(replica);
    }
    if (surplus.length > 0) this.#publish();
  }

  #held(replicas: number): number {
    const { min, max } = this.#settings.scale;
    return Math.min(max, Math.max(1, min, replicas));
  }

  async #start(run: RunSettings): Promise<void> {
    const { runtime, signal, probe } = this.#context;
    const { name: service } = this.#settings;
    let ordinal = 1;
    while (this.#replicas.some((each) => each.ordinal === ordinal)) ordinal++;
    const endpoint = `${service}/${++this.#count}`;
    const replica: RivalReplica = { ordinal, endpoint, id: undefined, port: 0, state: 'starting' };
    this.#replicas.push(replica);
    const spec = { service, ordinal, instance: 'rival', run, hash: 'rival' };
    const { id, address } = await runtime.start(spec, signal);
    replica.id = id;
    replica.port = address?.port ?? 0;
    if (replica.state === 'starting') probe(service, endpoint, replica.port);
    else this.#stop(replica);
  }

  /** Once its start has come to an end, it is stopped. */
  #stop({ id }: RivalReplica): void {
    const { runtime, signal } = this.#context;
    if (id !== undefined) void runtime.stop(id, { signal: 'SIGTERM', graceMs: 0 }, signal);
  }

  #publish(): void {
    const endpoints = this.#replicas.flatMap(({ endpoint: id, port, state }) =>
      state === 'starting' || port === 0 ? [] : [{ id, host: '127.0.0.1', port, state, weight: 1, start: null }],
    );
    this.#context.publish({
      service: this.#settings.name,
      endpoints,
      holdTimeoutMs: 30_000,
      starting: false,
      expectedStartMs: null,
      inFlightLimit: null,
      blocked: null,
      failures: 0,
    });
  }
}
