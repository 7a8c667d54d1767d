import type { ForecastWhy, IdleWhy } from '../../model/idle.ts';
import type { ServiceReport } from '../../model/link.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { Telemetry } from '../link/telemetry.ts';
import { IN_USE_MS } from '../replica/retire.ts';
import type { ExpectedCall } from '../scale/arrival-forecast.ts';
import { AutoKeep, type IdlePlan } from '../scale/auto-keep.ts';
import { memoryText } from '../scale/budget-text.ts';
import { explainIdle, UNKNOWN_START_MS } from '../scale/idle-choice.ts';
import { IdleWatch } from '../scale/idle-watch.ts';
import { ALL_SERVICES } from '../scale/sibling-store.ts';
import { ServiceStandby, type StandbyOrder } from '../scale/standby-times.ts';
import type { MemoryFacts } from '../start/memory-budget.ts';
import type { Costing } from './costing.ts';
import type { ServiceHost } from './host.ts';
import { hashOf } from './run.ts';

interface IdlingOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  costing: Costing;
  /** It is kept longer than it pays, or no longer is. */
  onRaise: (isRaised: boolean, keepMs: number) => void;
}

/** How often it is looked at whether wakes take too much, ms: a change must show before there is another one. */
const SHARE_EVERY_MS = 600_000;
/** Without reason for it, the time to keep goes back towards what pays by this factor each time. */
const RELAX = 0.9;
/** Most by which it is raised. */
const MOST_RAISE = 1000;
/** Of services of which nothing is known: made once, as most of 10,000 services sleep. Nothing is ever added to it. */
const UNKNOWN = new AutoKeep(undefined);

/** How long one service is kept when it is idle, and what that is learnt from. */
export class Idling {
  readonly #options: IdlingOptions;
  readonly #watch = new IdleWatch();
  /** Made when there is something to know: most of 10,000 services sleep. */
  #keep: AutoKeep | undefined;
  /** Made when there is something to pause. */
  #standby: ServiceStandby | undefined;
  #wokeBy: 'start' | 'resume' = 'start';
  /** Requests that are held, since when, and for how long all of this wake have been together; ms. */
  #held = 0;
  #heldAt = 0;
  #waitedMs = 0;
  #raise = 1;
  /** Worked out anew with every gap alone. */
  #calls = { version: -1, perHour: 0 };
  #raisedAt = Number.NEGATIVE_INFINITY;

  constructor(options: IdlingOptions) {
    this.#options = options;
  }

  /** How long it is kept, ms. */
  get keepMs(): number | 'never' {
    const { idleMs } = this.#options.settings().scale;
    if (idleMs !== 'auto') return idleMs;
    const { keepMs } = this.#plan;
    // Pausing is of no use where a replica is better kept until it is stopped.
    return this.#times === undefined ? keepMs : Math.min(keepMs, this.#times.keepMs);
  }

  /**
   * A call ahead of which it is to be started, whose time may be over; undefined where none is expected. What is paused
   * goes on in milliseconds anyway.
   */
  get expected(): ExpectedCall | undefined {
    const expected = this.#isAhead ? this.#plan.expected : undefined;
    return expected === undefined || this.#refusal !== undefined ? undefined : expected;
  }

  /** Why it is not started ahead of calls now. */
  get #refusal(): MemoryFacts | undefined {
    return this.#options.host.memory.refusalAhead(this.#options.settings().name, this.needMiB);
  }

  /** Whether it may be started ahead of calls. */
  get #isAhead(): boolean {
    const { idleMs, dryRun } = this.#options.settings().scale;
    return idleMs === 'auto' && !dryRun;
  }

  /** What a start takes, ms. */
  get startMs(): number {
    return this.#known.learnt.startMs ?? UNKNOWN_START_MS;
  }

  /** What one replica of it takes of the memory, MiB: as learnt, else as limited, else a guess. */
  get needMiB(): number {
    const { host, settings } = this.#options;
    const { memory } = settings().run ?? {};
    return this.#known.learnt.memoryMiB ?? (memory === undefined ? host.memory.guessMiB : memory / 2 ** 20);
  }

  /** Whether what one takes was learnt. */
  get isMeasured(): boolean {
    return this.#known.learnt.memoryMiB !== undefined;
  }

  /** How often an hour it is called after it was idle. */
  get callsPerHour(): number {
    const { gaps } = this.#known.learnt;
    if (gaps.version !== this.#calls.version)
      this.#calls = { version: gaps.version, perHour: gaps.callsPerHour(IN_USE_MS) };
    return this.#calls.perHour;
  }

  /** A replica of it was seen to take so much memory, MiB. @param hash of its `run`: what an older one takes is no guide */
  sawMemory(memoryMiB: number, hash: string): void {
    const { run } = this.#options.settings();
    if (run === undefined || hash !== hashOf(run) || memoryMiB <= 0) return;
    if (this.#auto.sawMemory(memoryMiB)) this.#put();
  }

  /** What a run of it took when it was asked last, MiB; undefined before. */
  memoryOf(run: string | undefined): number | undefined {
    return run === undefined ? undefined : this.#options.costing.memoryOf(run);
  }

  /** Another `run` takes another amount of it. */
  forgetMemory(): void {
    if (this.isMeasured) this.#auto.forgetMemory();
  }

  /** Whether its replicas are paused then. */
  get pauses(): boolean {
    return (this.#times?.pausedMs ?? 0) > 0;
  }

  /** How long a paused one is kept, ms: one that others have paused for as long as they like. */
  get pausedMs(): number | 'ever' {
    const { pausedMs = Number.POSITIVE_INFINITY } = this.#times ?? {};
    return Number.isFinite(pausedMs) ? pausedMs * this.#raise : 'ever';
  }

  /** Undefined where replicas are stopped when the service sleeps. */
  get #times() {
    const order = this.#order;
    if (order === undefined) return undefined;
    this.#standby ??= new ServiceStandby(this.#options.host.siblings);
    return this.#standby.times(this.#known.learnt, order);
  }

  get #order(): StandbyOrder | undefined {
    const { host, settings } = this.#options;
    const { run, scale } = settings();
    const standby = run === undefined ? undefined : host.runtimes.standby(run);
    if (standby === undefined) return undefined;
    const { idleMs, weight, pausedCost } = scale;
    return { standby, fixedKeepMs: typeof idleMs === 'number' ? idleMs : undefined, weight, pausedCost };
  }

  /** Whether it is kept longer than pays, since its wakes take more than their share of the starts. */
  get isRaised(): boolean {
    return this.#raise > 1;
  }

  get why(): IdleWhy | null {
    const { run, scale } = this.#options.settings();
    if (run === undefined) return null;
    const { learnt } = this.#known;
    const { siblings } = this.#options.host;
    const why = explainIdle(learnt, siblings, scale.idleMs, scale.weight, this.#raise, this.#forecast);
    const order = this.#order;
    if (order === undefined) return why;
    const { keepMs, pausedMs, isRaised } = this;
    const tiers = new ServiceStandby(siblings);
    const kept = tiers.expected(learnt, order);
    return {
      ...why,
      keepMs,
      standby: { pausedMs, resumeMs: this.#known.learnt.resumeMs ?? null, pausedCost: scale.pausedCost },
      expected: why.expected && kept && !isRaised ? { ...why.expected, kept } : why.expected,
      byWeight: why.byWeight.map(({ weight }) => {
        const other = { ...order, weight, fixedKeepMs: undefined };
        return { weight, keepMs: tiers.times(learnt, other).keepMs };
      }),
    };
  }

  /** An edge spoke, and the telemetry knows of it. @param report undefined where it told of what is held alone */
  heard(spanMs = 0, report?: ServiceReport): void {
    const { settings, telemetry, host, costing } = this.#options;
    if (settings().run === undefined) return;
    const now = host.context.clock.now();
    this.#wait(now, telemetry.held);
    const { busy, lastActivityAt } = telemetry;
    const arrivals = report === undefined ? Math.min(1, telemetry.held) : report.arrivals;
    const isHeld = telemetry.held > 0;
    const seen = { now, isBusy: busy, isHeld, lastActivityAt, arrivals, spanMs, loadMs: report?.loadMs ?? 0 };
    costing.requested(report?.requests ?? 0);
    const since = now - this.#watch.idleForMs(now);
    const isMissed =
      isHeld && this.#isAhead && this.#refusal === undefined && this.#planFrom(since).expected !== undefined;
    this.#watch.see(seen, (gapMs, count, endedAt) => {
      this.#auto.idled(gapMs, count, endedAt, settings().scale.weight, isMissed);
      costing.idled(gapMs, count);
      this.#put();
    });
  }

  /** For how long it has been idle, ms; 0 while it is not, and before the first request. */
  get idleForMs(): number {
    return this.#watch.idleForMs(this.#options.host.context.clock.now());
  }

  /**
   * It started.
   * @param startMs from the permit to ready
   * @param how it was started, or it was paused and went on
   * @param permitMs of this, for how long it had the permit, where requests woke it
   */
  started(startMs: number, how: 'start' | 'resume', permitMs: number | undefined): void {
    const { host, settings } = this.#options;
    if (how === 'start') this.#learn('startMs', startMs);
    else this.#learn('resumeMs', startMs);
    this.#wokeBy = how;
    if (permitMs === undefined) return;
    if (how === 'start') this.#options.costing.woke();
    else this.#options.costing.resumed();
    host.wakeShares.woke(settings().name, permitMs, host.context.clock.now());
  }

  stopped(stopMs: number): void {
    this.#learn('stopMs', stopMs);
  }

  /** Now and then: whether its wakes take more than their share of the starts. */
  tick(now: number): void {
    const { host, settings, onRaise } = this.#options;
    const { name, scale } = settings();
    if (scale.idleMs !== 'auto' || now - this.#raisedAt < SHARE_EVERY_MS) return;
    this.#raisedAt = now;
    const excess = host.wakeShares.excessOf(name, host.gate.concurrentStarts, now);
    const before = this.#raise;
    const after = excess > 1 ? before * excess : 1 + (before - 1) * RELAX;
    this.#raise = after < 1.01 ? 1 : Math.min(MOST_RAISE, after);
    if (before > 1 !== this.#raise > 1) onRaise(this.#raise > 1, this.keepMs as number);
  }

  /** Adds to what has been waited until now; when nobody waits any more the wake is over. */
  #wait(now: number, held: number): void {
    this.#waitedMs += this.#held * Math.max(0, now - this.#heldAt);
    this.#held = held;
    this.#heldAt = now;
    if (held > 0 || this.#waitedMs === 0) return;
    this.#options.costing.waited(this.#waitedMs);
    if (this.#wokeBy === 'start') this.#learn('waitMs', this.#waitedMs);
    else this.#learn('resumeWaitMs', this.#waitedMs);
    this.#waitedMs = 0;
  }

  #learn(what: Parameters<AutoKeep['saw']>[0], ms: number): void {
    this.#auto.saw(what, ms);
    this.#put();
  }

  /** What is news is not lost with the process. */
  #put(): void {
    const { host, settings } = this.#options;
    host.idleLearnt.put(settings().name, this.#auto.learnt);
    host.siblingsLearnt.put(ALL_SERVICES, host.siblings);
  }

  get #plan(): IdlePlan {
    return this.#planFrom(this.#options.telemetry.lastActivityAt);
  }

  /** @param since end of the last activity, the clock's ms */
  #planFrom(since: number): IdlePlan {
    const { weight } = this.#options.settings().scale;
    if (this.#order !== undefined) return { keepMs: this.#known.keepMs(weight, this.#raise), expected: undefined };
    return this.#known.plan(since, weight, this.#raise);
  }

  get #forecast(): ForecastWhy | null {
    const { forecast } = this.#known.learnt;
    const { right, wrong } = forecast.record;
    if (forecast.expected === undefined && right + wrong === 0) return null;
    const { clock } = this.#options.host.context;
    const iso = (at: number | undefined) =>
      at === undefined ? null : new Date(clock.wall() + at - clock.now()).toISOString();
    const { fromAt, untilAt } = forecast.expected ?? {};
    const rounded = (count: number) => Math.round(count * 10) / 10;
    const counts = { right: rounded(right), wrong: rounded(wrong) };
    return {
      ...counts,
      isTrusted: forecast.isTrusted,
      from: iso(fromAt),
      until: iso(untilAt),
      refused: this.#notAhead,
    };
  }

  /** Why it is not started ahead of calls that are expected; null where it is. */
  get #notAhead(): string | null {
    const { idleMs, dryRun } = this.#options.settings().scale;
    if (idleMs !== 'auto') return 'idle is set by hand';
    if (dryRun) return 'dry run';
    if (this.#order !== undefined) return 'what is paused goes on in milliseconds';
    const [text = null] = this.#refusal === undefined ? [] : memoryText(this.#refusal);
    return text;
  }

  /** What is known, to be read. */
  get #known(): AutoKeep {
    const { host, settings } = this.#options;
    return this.#keep === undefined && !host.idleLearnt.has(settings().name) ? UNKNOWN : this.#auto;
  }

  /** … and added to. */
  get #auto(): AutoKeep {
    const { host, settings } = this.#options;
    this.#keep ??= new AutoKeep(host.siblings, host.idleLearnt.take(settings().name));
    return this.#keep;
  }
}
