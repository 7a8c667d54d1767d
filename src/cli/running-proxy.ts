import type { EventSink } from '../model/events.ts';
import type { HandedOver } from '../model/hand-over.ts';
import type { LogFormat, Logger, LogLevel } from '../model/observe.ts';
import type { ConfigSource, ReloadResult } from '../model/reload.ts';
import type { HostPort, Settings } from '../model/settings.ts';
import type { ControlApi } from '../model/status.ts';

export interface ProxyOptions {
  logLevel: LogLevel;
  logFormat: LogFormat;
  /** Environment of which processes that are started inherit a little. */
  env: Readonly<Record<string, string | undefined>>;
  /** Called for everything that happens, from the first moment on. */
  onEvent: EventSink;
  /** Breaks off the boot. */
  signal: AbortSignal;
  /** Reads the configuration again and serves it, as SIGHUP does; absent where there is none to read. */
  reload?: () => Promise<ReloadResult>;
  /** Descriptors of listening sockets that this process was started with. */
  inherited?: readonly number[];
  /** The process that serves until this one does. */
  predecessor?: Predecessor | undefined;
}

/** The process that an upgrade replaces, as its successor sees it. */
export interface Predecessor {
  /**
   * Asks it to let go of its replicas and its state directory. Resolves when it has, with what else it hands over, or
   * when it is gone.
   */
  letGo(): Promise<Partial<HandedOver> | undefined>;
  /** Tells it that this process serves. From then on it asks for services that its own requests wait for. */
  serving(wake: (service: string) => void): void;
  /** Resolves when it has ended. */
  readonly gone: Promise<void>;
}

/** The process that replaces this one. */
interface Successor {
  pid: number;
  /** Asks it to start a service. */
  wake(service: string): void;
}

/** A proxy that serves. */
export interface RunningProxy {
  /** Where requests are taken, in the order of the configuration, with the real ports. */
  readonly listening: readonly HostPort[];
  readonly admin: HostPort;
  /** What the admin API asks. */
  readonly api: ControlApi;
  readonly logger: Logger;
  /**
   * Serves another configuration from now on, or changes nothing; says in log and events what changed, or why not.
   * Never rejects.
   */
  reload(settings: Settings, source: ConfigSource): Promise<ReloadResult>;
  /** What a successor gets, as it is now. */
  readonly handedOver: HandedOver;
  /** Descriptors of all its listening sockets. */
  readonly sockets: readonly number[];
  /** Resolves when the process that this one replaced has ended, if there was one. @throws the signal's reason */
  alone(signal: AbortSignal): Promise<void>;
  /**
   * Gives the replicas and the state directory to a successor; `stop` then leaves replicas alone.
   * @param signal limits the wait for what is being started or stopped
   * @throws STATE_UNUSABLE, the signal's reason; then all is as before
   */
  letGo(successor: Successor, signal: AbortSignal): Promise<void>;
  /** Goes on as before, because an upgrade failed for this reason: says so in log and events. Never rejects. */
  resume(reason: string): Promise<void>;
  /** Says in log and events that a configuration is wrong: one line per problem. */
  refuseReload(problems: readonly string[], source: ConfigSource): ReloadResult;
  /**
   * Drains: readiness off, no new connections, what is under way finishes within the services' drain limits, replicas
   * stop where they are to. Never rejects. `hurry` cuts every wait short.
   */
  stop(hurry: AbortSignal): Promise<void>;
}

/**
 * Boots a proxy.
 * @throws ADDRESS_IN_USE, ADDRESS_FORBIDDEN, CERTIFICATE_UNUSABLE, STATE_LOCKED, STATE_UNUSABLE, and the signal's reason when it was aborted
 */
export type StartProxy = (settings: Settings, options: ProxyOptions) => Promise<RunningProxy>;
