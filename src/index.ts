/** Pilotlight within another program: `import { createPilotlight } from 'pilotlight'`. */
import type { RunningProxy } from './cli/running-proxy.ts';
import { formatProblem, type Problem } from './config/check/problem.ts';
import { loadConfig, parseBytes } from './config/load/load.ts';
import { startProxy } from './main.ts';
import { PilotlightError } from './model/errors.ts';
import type { EventSink, PilotEvent } from './model/events.ts';
import type { LogFormat, LogLevel } from './model/observe.ts';
import type { ReloadResult } from './model/reload.ts';
import type { HostPort, Settings } from './model/settings.ts';
import type { ServiceStatus } from './model/status.ts';

export type { EventSink, HostPort, LogFormat, LogLevel, PilotEvent, ReloadResult, ServiceStatus };
export { PilotlightError };

/** A configuration: the path of a file, or what would be in it. Relative paths in the latter go by the working directory. */
export type PilotlightConfig = string | Readonly<Record<string, unknown>>;

export interface PilotlightOptions {
  config: PilotlightConfig;
  /** Substituted in the configuration, and inherited in part by processes that are started. Default: `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Least severe level that is logged, to stderr. Default: `warn`. */
  logLevel?: LogLevel;
  /** Default: `json`. */
  logFormat?: LogFormat;
}

/**
 * A proxy in this process. It listens to no signal and never ends the process: that is up to whoever embeds it. All that
 * fails rejects with a `PilotlightError`, whose `code` is one of docs/errors.md.
 */
export interface Pilotlight {
  /**
   * Serves. Resolves when requests are taken.
   * @param signal breaks off the start
   * @throws CONFIG_INVALID, ADDRESS_IN_USE, ADDRESS_FORBIDDEN, CERTIFICATE_UNUSABLE, STATE_LOCKED, STATE_UNUSABLE;
   *   INTERNAL where it was started before
   */
  start(signal?: AbortSignal): Promise<void>;
  /**
   * Serves another configuration from now on, or changes nothing where that is wrong: the result says which.
   * @param config default: the same file, read again
   * @throws INTERNAL where it does not run
   */
  reload(config?: PilotlightConfig): Promise<ReloadResult>;
  /**
   * Drains and ends: what is under way finishes within the services' drain limits. Called again it resolves at the same
   * end; at once where it does not run. Never rejects.
   * @param hurry cuts every wait short
   */
  stop(hurry?: AbortSignal): Promise<void>;
  /** Calls the sink for every event, also for those of the start, until the returned function is called. */
  events(sink: EventSink): () => void;
  /** All services, by name. @throws INTERNAL where it does not run */
  services(): Promise<ServiceStatus[]>;
  /** Starts a service unless it runs. @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE, INTERNAL */
  wake(service: string): Promise<ServiceStatus>;
  /** Retires every replica of a service. @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE, INTERNAL */
  sleep(service: string): Promise<ServiceStatus>;
  /** Where requests are taken, in the order of the configuration, with the real ports; empty where it does not run. */
  readonly listening: readonly HostPort[];
  /** The address of the admin API; undefined where it does not run. */
  readonly admin: HostPort | undefined;
}

/** Makes a proxy that does not run yet. */
export function createPilotlight(options: PilotlightOptions): Pilotlight {
  return new EmbeddedPilotlight(options);
}

type State =
  | { phase: 'new' }
  | { phase: 'starting' }
  | { phase: 'running'; proxy: RunningProxy }
  | { phase: 'ended'; end: Promise<void> };

class EmbeddedPilotlight implements Pilotlight {
  readonly #options: PilotlightOptions;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #sinks = new Set<EventSink>();
  #config: PilotlightConfig;
  #state: State = { phase: 'new' };

  constructor(options: PilotlightOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#env = options.env ?? process.env;
  }

  async start(signal = new AbortController().signal): Promise<void> {
    if (this.#state.phase !== 'new') throw new PilotlightError('INTERNAL', 'this Pilotlight was started before');
    this.#state = { phase: 'starting' };
    try {
      const loaded = await this.#load(this.#config);
      if (!loaded.ok) throw new PilotlightError('CONFIG_INVALID', loaded.problems.map(formatProblem).join('; '));
      const { logLevel = 'warn', logFormat = 'json' } = this.#options;
      const proxy = await startProxy(loaded.settings, {
        logLevel,
        logFormat,
        env: this.#env,
        signal,
        onEvent: (event) => this.#pass(event),
        reload: () => this.reload(),
      });
      this.#state = { phase: 'running', proxy };
    } catch (error) {
      this.#state = { phase: 'new' };
      throw error;
    }
  }

  async reload(config = this.#config): Promise<ReloadResult> {
    const { proxy } = this;
    const loaded = await this.#load(config);
    const source = { file: typeof config === 'string' ? config : INLINE, modified: loaded.modified };
    if (!loaded.ok) return proxy.refuseReload(loaded.problems.map(formatProblem), source);
    const result = await proxy.reload(loaded.settings, source);
    if (result.reloaded) this.#config = config;
    return result;
  }

  async stop(hurry = new AbortController().signal): Promise<void> {
    if (this.#state.phase === 'running') this.#state = { phase: 'ended', end: this.#state.proxy.stop(hurry) };
    if (this.#state.phase === 'ended') await this.#state.end;
  }

  events(sink: EventSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  async services(): Promise<ServiceStatus[]> {
    return this.proxy.api.services();
  }

  async wake(service: string): Promise<ServiceStatus> {
    return this.proxy.api.wake(service);
  }

  async sleep(service: string): Promise<ServiceStatus> {
    return this.proxy.api.sleep(service);
  }

  get listening(): readonly HostPort[] {
    return this.#state.phase === 'running' ? this.#state.proxy.listening : [];
  }

  get admin(): HostPort | undefined {
    return this.#state.phase === 'running' ? this.#state.proxy.admin : undefined;
  }

  private get proxy(): RunningProxy {
    if (this.#state.phase === 'running') return this.#state.proxy;
    throw new PilotlightError('INTERNAL', 'this Pilotlight does not run');
  }

  async #load(config: PilotlightConfig): Promise<Loaded> {
    if (typeof config === 'string') return loadConfig(config, this.#env);
    // What JSON can say, YAML can.
    return { ...(await parseBytes(Buffer.from(JSON.stringify(config)), INLINE, this.#env)), modified: null };
  }

  /** What a listener throws is its own affair. */
  #pass(event: PilotEvent): void {
    for (const sink of this.#sinks) {
      try {
        sink(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Stands for the file of a configuration that is in none. */
const INLINE = 'configuration';

type Loaded = { modified: string | null } & ({ ok: true; settings: Settings } | { ok: false; problems: Problem[] });
