import type { DiskUsage, PriceSettings, ServiceCosts } from '../../model/costs.ts';
import type { IdleWhy } from '../../model/idle.ts';
import { detached } from '../context.ts';
import { costFigures, FIXED_SECONDS } from '../journal/cost-figures.ts';
import { type CostAmount, CostHistory } from '../journal/cost-history.ts';
import type { Replica } from '../replica/replica.ts';
import { callRuntime } from '../replica/runtime-call.ts';
import type { ServiceHost } from './host.ts';

interface CostingOptions {
  host: ServiceHost;
  name: () => string;
  /** A replica with a `run` of that hash takes so much memory, MiB. */
  onMemory: (memoryMiB: number, hash: string) => void;
}

/** How often a replica is asked what it takes, ms. */
const SAMPLE_EVERY_MS = 15_000;
const SAMPLE_MS = 10_000;

/** What a replica took when it was asked last. */
interface Sample {
  at: number;
  memoryMiB: number;
  cpuSeconds: number;
}

/** Adds up what one service costs. */
export class Costing {
  readonly #options: CostingOptions;
  /** Made when there is something to add: most of 10,000 services sleep. */
  #history: CostHistory | undefined;
  /** By the id of the run. */
  readonly #samples = new Map<string, Sample>();
  /** Of a replica that was not asked yet. */
  #usualMiB = 0;
  #isAsking = false;
  #wasIdle = false;

  constructor(options: CostingOptions) {
    this.#options = options;
  }

  /** Once a second while anything of it runs. */
  tick(elapsedMs: number, replicas: readonly Replica[], isBusy: boolean): void {
    const paused = replicas.filter(({ state }) => state === 'paused');
    const live = replicas.filter(({ isLive, doing, state }) => isLive && doing !== 'queued' && state !== 'paused');
    if (live.length + paused.length === 0) {
      this.#samples.clear();
      return;
    }
    const seconds = elapsedMs / 1000;
    if (paused.length > 0) this.#add('pausedSeconds', seconds * paused.length);
    if (live.length > 0) {
      this.#add('replicaSeconds', seconds * live.length);
      this.#add('awakeSeconds', seconds);
      if (!isBusy) this.#add('idleReplicaSeconds', seconds * live.length);
    }
    const memoryMiB = [...live, ...paused].reduce((sum, { instance }) => sum + this.#memoryOf(instance?.id), 0);
    if (memoryMiB > 0) {
      this.#add('memoryMiBSeconds', seconds * memoryMiB);
      this.#count('pilotlight_memory_byte_seconds_total', seconds * memoryMiB * 2 ** 20);
    }
    const serving = live.filter(({ instance, isServing }) => instance !== undefined && isServing);
    const running = [...serving, ...paused];
    if (running.length > 0 && !this.#isAsking) detached(this.#options.host.context, 'usage', this.#ask(running));
  }

  /** Memory of a run when it was asked last, MiB; undefined before, and where the runtime does not tell. */
  memoryOf(run: string): number | undefined {
    return this.#samples.get(run)?.memoryMiB || undefined;
  }

  requested(count: number): void {
    if (count > 0) this.#add('requests', count);
  }

  /** It was idle for so long, ms, so often. */
  idled(gapMs: number, count: number): void {
    this.#wasIdle = true;
    this.#add('fixedIdleSeconds', Math.min(gapMs / 1000, FIXED_SECONDS) * count);
    if (gapMs / 1000 > FIXED_SECONDS) this.#add('fixedWakes', count);
  }

  /** It was started from zero for requests. */
  woke(): void {
    this.#add('coldStarts', 1);
    // Of what was before the first request nothing is known: whatever the idle time, it slept.
    if (!this.#wasIdle) this.#add('fixedWakes', 1);
    this.#wasIdle = true;
  }

  /** A paused replica of it went on for requests. */
  resumed(): void {
    this.#add('resumes', 1);
  }

  /** All that waited for one start waited so long together, ms. */
  waited(ms: number): void {
    this.#add('waitedSeconds', ms / 1000);
    this.#count('pilotlight_waited_seconds_total', ms / 1000);
  }

  /**
   * What it cost, and what it would have cost otherwise; undefined where nothing is known.
   * @param since the wall's ms
   * @param idleForMs idle for so long now
   */
  figures(
    since: number,
    idleForMs: number,
    idle: IdleWhy,
    prices: PriceSettings,
    disk: DiskUsage | null,
  ): ServiceCosts | undefined {
    const history = this.#known;
    if (history === undefined) return undefined;
    const now = this.#options.host.context.clock.wall();
    return costFigures({
      service: this.#options.name(),
      sums: history.sums(since),
      spanSeconds: Math.max(0, now - Math.max(since, history.begunAt)) / 1000,
      idleSeconds: idleForMs / 1000,
      startSeconds: (idle.startMs ?? 0) / 1000,
      waitSeconds: (idle.waitMs ?? idle.startMs ?? 0) / 1000,
      disk,
      prices,
    });
  }

  async #ask(replicas: readonly Replica[]): Promise<void> {
    const { clock, life } = this.#options.host.context;
    this.#isAsking = true;
    try {
      for (const replica of replicas) {
        const id = replica.instance?.id ?? '';
        const before = this.#samples.get(id);
        if (before !== undefined && clock.now() - before.at < SAMPLE_EVERY_MS) continue;
        const { runtime } = replica;
        const usage = await callRuntime(clock, SAMPLE_MS, life, async (signal) => runtime.usage?.(id, signal)).catch(
          () => undefined,
        );
        // What it took before it was taken over was counted then.
        const counted = before?.cpuSeconds ?? (replica.start === undefined ? usage?.cpuSeconds : 0) ?? 0;
        const { memoryMiB = before?.memoryMiB ?? 0, cpuSeconds = counted } = usage ?? {};
        this.#usualMiB = memoryMiB;
        this.#samples.set(id, { at: clock.now(), memoryMiB, cpuSeconds });
        if (usage !== undefined) this.#options.onMemory(usage.memoryMiB, replica.spec.hash);
        const more = Math.max(0, cpuSeconds - counted);
        if (more === 0) continue;
        this.#add('cpuSeconds', more);
        this.#count('pilotlight_cpu_seconds_total', more);
      }
      const ids = new Set(replicas.map(({ instance }) => instance?.id));
      for (const id of this.#samples.keys()) if (!ids.has(id)) this.#samples.delete(id);
    } finally {
      this.#isAsking = false;
    }
  }

  #memoryOf(id: string | undefined): number {
    return this.#samples.get(id ?? '')?.memoryMiB ?? this.#usualMiB;
  }

  #add(amount: CostAmount, by: number): void {
    const { host, name } = this.#options;
    const now = host.context.clock.wall();
    this.#history = this.#known ?? new CostHistory(now);
    this.#history.add(now, amount, by);
    host.costs.put(name(), this.#history);
  }

  #count(metric: Parameters<ServiceHost['context']['metrics']['count']>[0], by: number): void {
    const { host, name } = this.#options;
    host.context.metrics.count(metric, { service: name() }, by);
  }

  get #known(): CostHistory | undefined {
    const { host, name } = this.#options;
    this.#history ??= host.costs.take(name());
    return this.#history;
  }
}
