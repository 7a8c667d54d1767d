import type { Decision, DecisionEntry, GuardVerdict, HeldBack, Refusal } from '../../model/decision.ts';
import type { PilotlightError } from '../../model/errors.ts';
import type { StartCause } from '../../model/replica.ts';
import type { ScaleByHand, StartFailure, StartRecord } from '../../model/status.ts';
import { formatDuration } from '../../util/units.ts';
import type { ControlContext } from '../context.ts';
import type { Replica } from '../replica/replica.ts';
import type { RetireReason } from '../replica/retire.ts';
import { type DemandInputs, needText } from '../scale/demand.ts';
import type { ScaleDecision } from '../scale/service-scaler.ts';
import type { Crash } from '../start/crashes.ts';
import { KeptDecisions, type RefusalListener } from './kept-decisions.ts';

/** What led to the number of replicas that is started. */
export type StartInputs = DemandInputs & { wanted: number };

/** What is said of replicas that retire, beside the reason. */
export interface RetireSaying {
  /** How many were ready before. */
  from: number;
  text?: string;
  inputs?: Record<string, number>;
}

/** How it stands with a decision to replace what runs with an older `run`. */
type Replacement =
  /** These retire for one that is ready. */
  | { state: 'retiring'; id: string; endpoints: readonly string[] }
  /** That one ended, and they serve again: `text` says so. */
  | { state: 'undone'; id: string; text: string }
  /** None got ready. */
  | { state: 'failing'; id: string };

/** A wake so soon after an idle retire began is a flap, ms. */
const FLAP_MS = 10_000;

/** Starts that are remembered of a service. */
const KEPT_STARTS = 20;

/** How each reason to retire reads after `asleep` or `retiring NAME`. */
const retireText: Record<RetireReason, string> = {
  idle: 'idle',
  'scale-down': 'fewer needed',
  'given-up': 'more than its fair share of the budget',
  memory: 'to make room for others',
  'by-hand': 'by hand',
  drained: 'drained by hand',
  replaced: 'replaced by one with the present run',
  reconfigured: 'to be started with the present run',
  leaving: 'its host goes',
  unhealthy: 'unhealthy',
  removed: 'removed from the configuration',
};

/** Tells what happens to one service: events for people, the last decisions with all that led to them, and the metrics. */
export class DecisionLog implements RefusalListener {
  readonly #kept: KeptDecisions;
  readonly #service: string;
  readonly #context: ControlContext;
  /** When it was last put to sleep as idle, the clock's ms, and how often in a row it was woken right after that. */
  #sleptAt = Number.NEGATIVE_INFINITY;
  #flaps = 0;
  /** Oldest first; made for the first one. */
  #starts: StartRecord[] | undefined;
  /** The last decision to replace what runs with an older `run`. */
  #replacement: Replacement | undefined;

  constructor(service: string, context: ControlContext) {
    this.#service = service;
    this.#context = context;
    this.#kept = new KeptDecisions(service, context, this);
  }

  /** The last change. */
  get last(): Decision | null {
    return this.#kept.last;
  }

  /** What keeps the next change back now. */
  get heldBack(): HeldBack | null {
    return this.#kept.heldBack;
  }

  /** The last changes and refusals, in the order of time. */
  get entries(): DecisionEntry[] {
    return this.#kept.all;
  }

  /** The last starts that succeeded, oldest first. */
  get starts(): readonly StartRecord[] {
    return this.#starts ?? [];
  }

  /** Starts from zero. */
  waking(cause: StartCause, from: number, to: number, inputs: StartInputs): void {
    const { held } = inputs;
    const why =
      cause === 'demand'
        ? `${held} request${held === 1 ? ' waits' : 's wait'}`
        : (floorText(cause, inputs) ?? 'by hand');
    const need = cause === 'demand' ? needText(inputs) : '';
    const flaps = this.#flapText();
    this.#decide({ action: 'wake', from, to, reason: why + need + flaps, inputs: { ...inputs }, verdicts: [] });
    if (from === 0) this.#event('waking', `waking (${why}${flaps})`, { replicas: to, held });
  }

  /** Starts while others serve: to reach `min`, or in place of what ended by itself. */
  refilling(cause: StartCause, from: number, to: number, inputs: StartInputs): void {
    const floor = floorText(cause, inputs);
    const decision =
      floor !== undefined
        ? ({ action: 'scale-up', reason: floor } as const)
        : ({ action: 'replace', reason: `${from} of ${inputs.wanted} are there` } as const);
    this.#decide({ ...decision, from, to, inputs: { ...inputs }, verdicts: [] });
  }

  ready(replica: Replica, cause: StartCause | undefined, held: number): void {
    const { clock, metrics } = this.#context;
    const { start, name, isResumed } = replica;
    if (start === undefined || cause === undefined) {
      this.#event('adopted', `adopted ${name}, which was running`, { replica: name });
      return;
    }
    const tookMs = Math.round(clock.now() - start.asked);
    const phases = {
      queue: start.permit - start.asked,
      start: start.started - start.permit,
      ready: start.ready - start.started,
    };
    const { queue: queueMs, start: startMs, ready: readyMs } = phases;
    const at = new Date(clock.wall() - (clock.now() - start.asked)).toISOString();
    this.#starts = [
      ...(this.#starts ?? []).slice(1 - KEPT_STARTS),
      { replica: name, at, cause, queueMs, startMs, readyMs, held, ...(isResumed && { isResumed }) },
    ];
    const how = isResumed ? `${name}, which was paused` : name;
    this.#event('ready', `ready in ${tookMs} ms (${how})`, { replica: name, tookMs, held, isResumed });
    const service = this.#service;
    if (isResumed) {
      metrics.count('pilotlight_resumes_total', { service, outcome: 'ready' }, 1);
      metrics.observe('pilotlight_resume_seconds', { service }, (start.ready - start.permit) / 1000);
      return;
    }
    if (cause !== 'demand') return;
    metrics.count('pilotlight_cold_starts_total', { service }, 1);
    for (const [phase, ms] of Object.entries(phases)) {
      metrics.observe('pilotlight_cold_start_seconds', { service, phase }, ms / 1000);
    }
  }

  /** @param pauseMs how long that took; undefined where it was found so */
  paused({ name }: Replica, pauseMs: number | undefined): void {
    if (pauseMs === undefined) {
      this.#event('paused', `found ${name} paused`, { replica: name });
      return;
    }
    const tookMs = Math.round(pauseMs);
    this.#event('paused', `paused ${name} in ${tookMs} ms`, { replica: name, tookMs });
  }

  pauseFailed({ name }: Replica, { message, code }: PilotlightError): void {
    this.#context.logger.warn({ service: this.#service, replica: name, code }, `cannot pause ${name}: ${message}`);
    this.#event('paused', `cannot pause ${name}, which is stopped instead: ${message}`, { replica: name, code });
  }

  /** A paused replica was to go on, and did not. */
  resumeFailed({ name }: Replica, { message, code }: PilotlightError): void {
    const service = this.#service;
    this.#context.metrics.count('pilotlight_resumes_total', { service, outcome: 'failed' }, 1);
    const line = `replaces ${name}, which was paused and does not go on: ${message}`;
    this.#event('resume-failed', line, { replica: name, code });
  }

  /** Paused replicas are stopped. */
  dropping(replicas: readonly Replica[], why: string): void {
    const names = replicas.map(({ name }) => name).join(', ');
    this.#event('dropped', `stopping ${names}, paused until now: ${why}`, { replicas: names, why });
  }

  /** It starts although there is no room for it. @param text `takes 128 MiB, 17 MiB more than there is room for …` */
  overMemory(text: string): void {
    this.#context.metrics.count('pilotlight_memory_overruns_total', { service: this.#service }, 1);
    this.#event('over-memory', text, {});
  }

  /** @param older replicas with an older `run`, which stay in service for it */
  startFailed(failure: StartFailure, older: number): void {
    const { clock, metrics, logger } = this.#context;
    const { replica, code, message, exitCode, output, probe, inARow, nextTryAt } = failure;
    metrics.count('pilotlight_start_failures_total', { service: this.#service, cause: code }, 1);
    const nextTryMs = nextTryAt === null ? 0 : Math.max(0, Date.parse(nextTryAt) - clock.wall());
    const next = nextTryMs === 0 ? '' : `; next try in ${formatDuration(nextTryMs)}`;
    const stays = older > 0 ? '; what runs with the older configuration stays' : '';
    if (older > 0) this.#replacementFailed(older, inARow, `${message}${stays}`, next);
    this.#event('start-failed', `start failed: ${message}${stays}${next}`, {
      replica,
      code,
      inARow,
      nextTryMs,
      ...(exitCode !== null && { exitCode }),
      ...(probe !== null && { probe: `${probe.address}: ${probe.result}` }),
      ...(output.length > 0 && { output: output.join('\n') }),
    });
    if (output.length > 0) logger.warn({ service: this.#service, replica, output }, `last output of ${replica}`);
  }

  adopting(from: number, to: number, reason: string): void {
    this.#decide({ action: 'adopt', from, to, reason, inputs: {}, verdicts: [] });
  }

  /** The idle policy's, an operator's or the configuration's decision to have fewer. */
  retiring(reason: RetireReason, replicas: readonly Replica[], saying: RetireSaying, dryRun = false): void {
    const { from, text = retireText[reason], inputs = {} } = saying;
    const names = replicas.map(({ name }) => name).join(', ');
    const to = from - replicas.length;
    const action = ['replaced', 'reconfigured', 'unhealthy', 'leaving'].includes(reason)
      ? 'replace'
      : reason === 'scale-down' || reason === 'given-up' || ((reason === 'drained' || reason === 'memory') && to > 0)
        ? 'scale-down'
        : 'sleep';
    const { id } = this.#decide({ action, from, to, reason: text, inputs, verdicts: [], dryRun });
    if (reason === 'replaced') {
      this.#replacement = { state: 'retiring', id, endpoints: replicas.map(({ endpoint }) => endpoint) };
    }
    if ((reason === 'idle' || reason === 'memory') && to === 0 && !dryRun) this.#sleptAt = this.#context.clock.now();
    if (!dryRun) this.#event('retiring', `retiring ${names} (${text})`, { reason, replicas: names });
  }

  revoked(replica: Replica, why: string, from: number): void {
    const last = this.#replacement;
    if (last?.state === 'retiring' && last.endpoints.includes(replica.endpoint)) {
      const text = `undone: ${why}`;
      this.#kept.cameOf(last.id, text);
      this.#replacement = { state: 'undone', id: last.id, text };
    }
    this.#decide({ action: 'revoke', from, to: from + 1, reason: why, inputs: {}, verdicts: [] });
    this.#event('revoked', `retire revoked (${replica.name}): ${why}`, { replica: replica.name });
  }

  quietClosed(replica: Replica, count: number, streamMs: number): void {
    const streams = count === 1 ? '1 quiet stream' : `${count} quiet streams`;
    const line = `closed ${streams} on ${replica.name}: nothing passed for ${formatDuration(streamMs)}`;
    this.#event('closed-quiet', line, { replica: replica.name, count });
  }

  /** @param oldestMs age of the oldest request that is cut, ms; 0 where all of them are quiet */
  drainForced(replica: Replica, inFlight: number, oldestMs: number): void {
    const { metrics } = this.#context;
    const age = oldestMs === 0 ? '' : `, the oldest for ${formatDuration(Math.round(oldestMs / 100) * 100)}`;
    const line = `drain forced, ${inFlight} in flight on ${replica.name}${age}`;
    metrics.count(
      'pilotlight_scale_decisions_total',
      { service: this.#service, direction: 'down', reason: 'drain-forced' },
      1,
    );
    this.#event('drain-forced', line, { replica: replica.name, inFlight, oldestMs });
  }

  /** @param crash where it ended by itself and too soon */
  exited(replica: Replica, detail: string, crash?: Crash): void {
    const { name } = replica;
    if (crash === undefined) this.#event('exited', `lost ${name}: ${detail}`, { replica: name });
    else this.#event('exited', `lost ${name}: ${detail}; ${crash.text}`, { replica: name, ...crash.facts });
  }

  leaving({ name, leaving = '' }: Replica): void {
    this.#event('leaving', `${name} serves until another one does: ${leaving}`, { replica: name, why: leaving });
  }

  /** It has failed its health checks for so long, ms. */
  sick({ name }: Replica, unhealthyMs: number): void {
    this.#event('sick', `${name} is sick: unhealthy for ${formatDuration(unhealthyMs)}`, {
      replica: name,
      unhealthyMs,
    });
  }

  gaveUpOnSick(replicas: readonly Replica[]): void {
    const names = replicas.map(({ name }) => name).join(', ');
    const line = `replaces no more sick replicas until one is healthy (${names}): a fresh one fell sick too`;
    this.#event('sick', line, { replicas: names });
  }

  asleep(reason: string, idleMs: number | 'never'): void {
    const after = reason === 'idle' && idleMs !== 'never' ? `after ${formatDuration(idleMs)} idle` : '';
    const text = after || `(${reason in retireText ? retireText[reason as RetireReason] : reason})`;
    this.#event('asleep', `asleep ${text}`, { reason });
  }

  /** With `idle: auto` it is kept longer than pays, or no longer is. */
  keptLonger(isRaised: boolean, keepMs: number): void {
    const line = isRaised
      ? `is kept for ${formatDuration(keepMs)} when it is idle: its wakes take more than their share of the starts`
      : `is kept for ${formatDuration(keepMs)} when it is idle, which pays: its wakes take no more than their share`;
    this.#event('idle-raised', line, { isRaised, keepMs });
  }

  /**
   * A decision of the scaler. One without a change is told when it begins and when it is over.
   * @returns the id of the change; undefined where there is none
   */
  scaled({ outcome, inputs: given }: ScaleDecision, dryRun: boolean): string | undefined {
    const { action, kind = null, from, to, reason, verdicts } = outcome;
    const inputs = { ...given };
    const { metrics } = this.#context;
    const service = this.#service;
    const isRefused = action === 'none' && kind !== null;
    const isNews =
      action !== 'none' ||
      this.#kept.tick(isRefused ? { action, kind, from, to, reason, inputs, verdicts, dryRun } : undefined);
    if (isNews) {
      const blocks = verdicts.filter(({ verdict }) => verdict === 'block');
      for (const { guard } of blocks) metrics.count('pilotlight_guard_blocks_total', { service, guard }, 1);
    }
    if (action === 'none') return undefined;
    const { id } = this.#kept.change({ action, kind, from, to, reason, inputs, verdicts, dryRun });
    const direction = action === 'scale-up' ? 'up' : 'down';
    const why = kind === 'down' ? 'low-load' : (kind ?? 'none');
    if (!dryRun) metrics.count('pilotlight_scale_decisions_total', { service, direction, reason: why }, 1);
    const scaled = dryRun ? `would scale ${from}→${to} (dry run)` : `scaled ${from}→${to}`;
    this.#event('scaled', `${scaled} because ${reason}`, { decision: id, from, to, dryRun });
    return id;
  }

  /** An operator's decision on so many replicas; one that wakes it is told with the starts. */
  scaledByHand({ from, to, min, max, limits }: ScaleByHand): void {
    if (from === 0 || from === to) return;
    const reason = ['by hand', ...limits].join('; ');
    const action = to > from ? 'scale-up' : 'scale-down';
    this.#decide({ action, from, to, reason, inputs: { min, max }, verdicts: [] });
    this.#event('scaled', `scaled ${from}→${to} ${reason}`, { from, to, dryRun: false });
  }

  frozen(forMs: number, reason: string | null): void {
    const why = reason === null ? '' : `: ${reason}`;
    this.#event('frozen', `frozen for ${formatDuration(forMs)}${why}`, { forMs, reason: reason ?? '' });
  }

  unfrozen(why: string): void {
    this.#event('unfrozen', `no longer frozen (${why})`, { reason: why });
  }

  /**
   * Later news of a change: what came of it.
   * @param id what `scaled` returned
   * @param text one line with its numbers, such as `helped: p95 1,802 → 240 ms`
   */
  cameOf(id: string, text: string): void {
    const decision = this.#kept.cameOf(id, text);
    const what = decision === undefined ? 'an earlier change' : `${decision.action} ${decision.from}→${decision.to}`;
    this.#event('outcome', `${what} ${text}`, { decision: id, outcome: text });
  }

  /** The proxy is about to end, or the service is gone. */
  close(): void {
    this.#kept.close();
  }

  /** For `KeptDecisions`. */
  refusalBegun({ id, from, reason, verdicts }: Refusal): void {
    const blocks = verdicts.filter(({ verdict }) => verdict === 'block');
    const guards = blocks.map(({ guard }) => guard).join();
    const against = blocks.map(({ guard, detail }) => `${guard} (${detail})`).join(', ');
    this.#event('refused', `stays at ${from}: ${reason}, refused by ${against}`, { decision: id, guards, from });
  }

  /** For `KeptDecisions`. */
  refusalEnded({ id, from, kind, verdicts, ended }: Refusal): void {
    const guards = verdicts.filter(({ verdict }) => verdict === 'block').map(({ guard }) => guard);
    const { lastedMs = 0, ticks = 0 } = ended ?? {};
    const lasted = formatDuration(Math.round(lastedMs / 1000) * 1000);
    const line = `no longer kept at ${from} by ${guards.join(', ')} after ${lasted} (${kind})`;
    this.#event('refusal-ended', line, { decision: id, lastedMs, ticks: ticks ?? 0 });
  }

  /** Somebody who comes back as soon as a service sleeps makes it start again and again: that is to be seen. */
  #flapText(): string {
    const since = this.#context.clock.now() - this.#sleptAt;
    this.#flaps = since < FLAP_MS ? this.#flaps + 1 : 0;
    if (this.#flaps === 0) return '';
    const times = this.#flaps === 1 ? '' : `, ${this.#flaps} times in a row`;
    return `; ${formatDuration(Math.round(since))} after it was put to sleep${times}`;
  }

  /**
   * A start in place of what runs with an older `run` failed, for the how-manieth time in a row. Those that were not ready
   * are one decision: they are events of their own already.
   * @param next when the next is tried, `; next try in 2s`
   */
  #replacementFailed(older: number, inARow: number, why: string, next: string): void {
    const last = this.#replacement;
    if (last?.state === 'undone') {
      this.#kept.cameOf(last.id, `${last.text}${next}`);
      this.#replacement = undefined;
      return;
    }
    let id = last?.state === 'failing' && inARow > 1 ? last.id : undefined;
    if (id === undefined) {
      const reason = 'to be replaced by one with the present run';
      id = this.#decide({ action: 'replace', from: older, to: older, reason, inputs: {}, verdicts: [] }).id;
      this.#replacement = { state: 'failing', id };
    }
    this.#kept.cameOf(id, `failed${inARow === 1 ? '' : ` ${inARow} times`}: ${why}${next}`);
  }

  /** A decision of another part than the scaler. */
  #decide(
    decision: Omit<Decision, 'id' | 'at' | 'service' | 'kind' | 'outcome' | 'dryRun'> & {
      verdicts: GuardVerdict[];
      dryRun?: boolean;
    },
  ): Decision {
    return this.#kept.change({ kind: null, dryRun: false, ...decision });
  }

  #event(
    type: Parameters<ControlContext['events']['emit']>[0],
    text: string,
    data: Record<string, string | number | boolean>,
  ): void {
    this.#context.events.emit(type, this.#service, `${this.#service} ${text}`, data);
  }
}

/** What asks for a start that neither a request nor an operator does; undefined where one of them, or scaling, does. */
function floorText(cause: StartCause, { min }: StartInputs): string | undefined {
  if (cause === 'min') return `min ${min}`;
  if (cause === 'group') return 'its group is awake';
  if (cause === 'schedule') return `min ${min} by the schedule`;
  return cause === 'expected' ? 'a call is expected' : undefined;
}
