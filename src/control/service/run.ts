import type { ReplicaSpec } from '../../model/runtime.ts';
import type { RunSettings, ServiceSettings } from '../../model/settings.ts';
import { runHash } from '../../util/hash.ts';
import { readyCheck } from '../endpoints/ready-check.ts';
import type { Replica } from '../replica/replica.ts';
import type { ReplicaSettings } from '../replica/replica-set.ts';
import type { RuntimeContact } from '../replica/runtime-monitor.ts';
import type { ServiceHost } from './host.ts';
import type { RunView } from './service-view.ts';

/** Settings are frozen, and the hash of a `run` is asked for at every look at a service: half of what a look costs. */
const hashes = new WeakMap<RunSettings, string>();

/** Hash of a `run`, calculated once. */
export function hashOf(run: RunSettings): string {
  const known = hashes.get(run);
  if (known !== undefined) return known;
  const hash = runHash(run);
  hashes.set(run, hash);
  return hash;
}

interface ServiceRunOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  /** How long it is kept when it is idle, ms. */
  keepMs: () => number | 'never';
  /** Whether its replicas are paused then. */
  pauses: () => boolean;
}

/** The `run` of one service: what its replicas are made of, and the runtime that runs them. */
export class ServiceRun {
  readonly #host: ServiceHost;
  readonly #settings: () => ServiceSettings;
  readonly #keepMs: () => number | 'never';
  readonly #pauses: () => boolean;
  #last: RunSettings | undefined;

  constructor({ host, settings, keepMs, pauses }: ServiceRunOptions) {
    this.#host = host;
    this.#keepMs = keepMs;
    this.#pauses = pauses;
    this.#settings = settings;
    this.#last = settings().run;
  }

  /** The last one there was: what runs of it is still to be ended when the service has none any more. */
  get last(): RunSettings | undefined {
    return this.#last;
  }

  /** What may be running or pre-positioned of it. */
  get specs(): ReplicaSpec[] {
    const { run, scale } = this.#settings();
    return run === undefined ? [] : Array.from({ length: scale.max }, (_, index) => this.#spec(run, index + 1));
  }

  /** Whether it is known what runs of it; without a `run` nothing does. */
  get contact(): RuntimeContact {
    const { run } = this.#settings();
    return run === undefined ? { contact: 'known' } : this.#host.runtimes.contact(run);
  }

  /** As decisions go by it; undefined without one. */
  get view(): RunView | undefined {
    const { run } = this.#settings();
    if (run === undefined) return undefined;
    const { runtimes } = this.#host;
    return { hash: hashOf(run), contact: runtimes.contact(run).contact, prepares: runtimes.prepares(run) };
  }

  /** What its replicas are to be like. */
  get replicaSettings(): ReplicaSettings {
    const settings = this.#settings();
    const run = this.#last as RunSettings;
    const keepMs = this.#keepMs();
    return {
      spec: (ordinal) => this.#spec(run, ordinal),
      runtime: () => this.#host.runtimes.of(run),
      ready: settings.ready,
      check: readyCheck(settings),
      drainMs: settings.timeouts.drainMs,
      patienceMs: settings.scale.patienceMs,
      idleMs: keepMs === 'never' ? 0 : keepMs,
      pauses: this.#pauses(),
    };
  }

  /** Another one holds. @returns whether the old replica must end before a new one can start */
  change(): boolean {
    const { runtimes, prewarm } = this.#host;
    const { run, name } = this.#settings();
    const inPlace = [run, this.#last].some((each) => each !== undefined && runtimes.runsInPlace(each));
    this.#last = run;
    prewarm.forget(name);
    return inPlace;
  }

  /** Pre-positions a replica that does not run. */
  prepare(replica: Replica): void {
    const { name, run } = this.#settings();
    if (run === undefined || replica.isThere || replica.task.kind !== 'none') return;
    replica.spec = this.#spec(run, replica.ordinal);
    replica.runtime = this.#host.runtimes.of(run);
    this.#host.prewarm.prepare(name, replica);
  }

  /** Has the runtime list again what it runs. */
  relist(): void {
    if (this.#last !== undefined) this.#host.runtimes.relist(this.#last);
  }

  #spec(run: RunSettings, ordinal: number): ReplicaSpec {
    const { name } = this.#settings();
    return { service: name, ordinal, instance: this.#host.context.instance, run, hash: hashOf(run) };
  }
}
