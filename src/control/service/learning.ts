import type { ServiceReport } from '../../model/link.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import type { Telemetry } from '../link/telemetry.ts';
import { isLearning, thresholdOf } from '../scale/auto-above.ts';
import { ofRun } from '../scale/learnt.ts';
import { LATELY_MS } from '../scale/scaler.ts';
import { ServiceScaler } from '../scale/service-scaler.ts';
import type { ServiceHost } from './host.ts';
import { hashOf } from './run.ts';

/** Requests in flight per replica, on average over 2 s, at which several edges seldom meet there. */
const CALM_LOAD = 0.5;

interface LearningOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  /** Whether the endpoint is past its warm-up. */
  isWarm: (endpoint: string) => boolean;
  /** How many endpoints get requests. */
  ready: () => number;
}

/** The scaler of one service with what it has learnt, in this process or in one before. */
export class Learning {
  readonly #options: LearningOptions;
  /** Made when there is something to scale: most of 10,000 services never get that far. */
  #scaler: ServiceScaler | undefined;

  constructor(options: LearningOptions) {
    this.#options = options;
  }

  get scaler(): ServiceScaler {
    if (this.#scaler !== undefined) return this.#scaler;
    const { host, settings, telemetry } = this.#options;
    const { clock } = host.context;
    const { run, name } = settings();
    const kept = run === undefined ? undefined : host.learnt.take(name);
    const earlier = run && kept && ofRun(kept, hashOf(run), clock.wall());
    this.#scaler = new ServiceScaler(clock, telemetry, settings, earlier);
    return this.#scaler;
  }

  /** The scaler where it knows anything, by now or from before a restart. */
  get known(): ServiceScaler | undefined {
    const { host, settings } = this.#options;
    return this.#scaler ?? (host.learnt.has(settings().name) ? this.scaler : undefined);
  }

  /** From which time to first byte on it counts as slow; null where nothing can be started, or there is no such time. */
  get threshold(): LatencyThreshold | null {
    const { run, scale, isTcp } = this.#options.settings();
    if (run === undefined || isTcp === true) return null;
    return this.known?.threshold ?? thresholdOf(scale, undefined);
  }

  /** What requests took that found their replica idle, past its warm-up. */
  heard({ endpoints }: ServiceReport): void {
    const { settings, isWarm } = this.#options;
    if (!isLearning(settings())) return;
    const calm = endpoints.filter(({ endpoint, calm }) => calm.length > 0 && isWarm(endpoint));
    if (calm.length === 0 || !this.#isCalm) return;
    this.scaler.sawCalm(calm.map(({ calm }) => calm));
    this.keep();
  }

  /** What is news is not lost with the process. */
  keep(): void {
    const { host, settings } = this.#options;
    const { run, name } = settings();
    const news = run === undefined ? undefined : this.scaler.takeNews();
    if (run !== undefined && news !== undefined) host.learnt.put(name, { run: hashOf(run), ...news });
  }

  /** An edge sees only what it sends itself: of several, what they find idle may be busy for another, unless all do little. */
  get #isCalm(): boolean {
    const { host, telemetry, ready } = this.#options;
    if (host.hub.edges.length === 1) return true;
    const now = host.context.clock.now();
    return telemetry.window.rates(now - LATELY_MS, now).load <= CALM_LOAD * ready();
  }
}

/** How far back decisions look, ms. */
export function keepMs({ scale }: ServiceSettings): number {
  return Math.max(scale.guards.maxWindowMs, scale.guards.downWindowMs, scale.latency.windowMs);
}
