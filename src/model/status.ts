import type { EndpointCondition } from './balancing.ts';
import type { ClusterStatus } from './cluster.ts';
import type { Costs } from './costs.ts';
import type { Decision, HeldBack, ServiceWhy } from './decision.ts';
import type { ErrorCode } from './errors.ts';
import type { EventSink } from './events.ts';
import type { MemoryUse } from './host-memory.ts';
import type { ScheduleStatus } from './idle.ts';
import type { ReplicaState, StartCause } from './replica.ts';
import type { HostImage } from './runtime.ts';
import type { SourceStatus } from './sources.ts';
import type { LatencyThreshold } from './threshold.ts';

export type ServiceStateName = 'asleep' | 'waking' | 'ready' | 'retiring' | 'failing' | 'unavailable';

export interface ReplicaStatus {
  id: string;
  /** host:port; null unless it runs. */
  address: string | null;
  state: ReplicaState;
  /** Absent where nothing keeps requests away from it. */
  condition?: EndpointCondition | undefined;
  inFlight: number;
  /** p95 of its time to first byte over the last 10 s, ms; null without data. */
  p95Ms: number | null;
  /** As of at most 15 s ago; null where the runtime tells of none. */
  memoryMiB: number | null;
  /** ISO 8601; null before the first start. */
  startedAt: string | null;
}

/** What happens per second, over the last 5 s. */
export interface RatesPerSecond {
  arrivals: number;
  /** Answers of the service that are good. */
  good: number;
  /** Load that was turned away, by the service or by us. */
  shed: number;
  /** Other answers of 5xx, and connections that broke. */
  errors: number;
}

/** One start that succeeded. Durations in ms. */
export interface StartRecord {
  replica: string;
  /** When it was asked for, ISO 8601. */
  at: string;
  cause: StartCause;
  /** From the asking to the permit: other starts went first. */
  queueMs: number;
  /** From the permit to the runtime's word that it runs. */
  startMs: number;
  /** From there to the proof that it answers. */
  readyMs: number;
  /** Requests that waited at the end of it. */
  held: number;
  /** It was paused, and went on. */
  isResumed?: true;
}

/** The last thing that kept a service awake. */
export interface LastActivity {
  /** Its end, ISO 8601; now while it goes on. */
  at: string;
  /** Method and path, of bounded length: without query, and without long segments, which may be secrets. */
  what: string;
}

/**
 * Why an endpoint gets no requests: `ejected` for what it answered, `unhealthy` by its checks, `draining` as its replica
 * retires, `starting` as that is not ready, `unverified` as it has not proved itself yet, `maintenance` as its source
 * says so, `taken` as a replica of another service has the address, `drained` as an operator took it out.
 */
export type OutOfUse = EndpointCondition | 'draining' | 'starting' | 'unverified' | 'maintenance' | 'taken' | 'drained';

/** What an operator set of an endpoint. */
export interface EndpointByHand {
  /** It gets no requests; those in flight go on. */
  drain: boolean;
  /** 0 to 65535; null: as its source says. */
  weight: number | null;
}

/** An address of a service as the admin API shows it. */
export interface EndpointStatus {
  /** host:port, or `unix:` and a path. */
  address: string;
  /** Who says that it is there: `pilotlight` for its own replicas, else the name of a source (`static`, `consul`). */
  source: string;
  /** Sources that list it as well. */
  alsoListedBy: string[];
  /** Id of the replica of ours that lives there; null: others run it. */
  replica: string | null;
  state: 'in-use' | 'out-of-use';
  /** Null while it is in use. */
  reason: OutOfUse | null;
  /** Relative share of requests, 1 = normal; 0 = only while no other is usable. */
  weight: number;
  backup: boolean;
  /** Null where nothing is set by hand; `weight` above is the one in force. */
  byHand: EndpointByHand | null;
  /** Most requests in flight; 0: no limit. */
  maxConnections: number;
  inFlight: number;
}

/** Why the last start came to nothing. */
export interface StartFailure {
  /** ISO 8601. */
  at: string;
  replica: string;
  code: ErrorCode;
  /** One line. */
  message: string;
  /** 128 + the signal's number where one ended it; null where it did not end, or nobody knows. */
  exitCode: number | null;
  /** What it wrote last in that attempt, oldest first. */
  output: string[];
  /** What the last probe of it came to; null where there was none. */
  probe: { address: string; result: string } | null;
  /** Failed starts in a row. */
  inARow: number;
  /** Until when no start is tried, ISO 8601; null while one may be. */
  nextTryAt: string | null;
}

/** Something outside that a service needs and does not have at present. */
export interface Trouble {
  code: ErrorCode;
  /** One line. */
  message: string;
  /** ISO 8601. */
  since: string;
}

/** A service as the admin API shows it. */
export interface ServiceStatus {
  name: string;
  state: ServiceStateName;
  replicas: ReplicaStatus[];
  inFlight: number;
  held: number;
  /** For how long requests have been held without a break, ms, which no wait exceeds; 0 while none is. */
  heldForMs: number;
  perSecond: RatesPerSecond;
  /** Time to first byte over the last window; null without data. */
  latencyMs: { p50: number | null; p95: number | null; p99: number | null };
  /** The threshold in force; null where nothing can be started. */
  threshold: LatencyThreshold | null;
  /** What the idle clock goes by; null while no request that may wake the service was seen. */
  lastActivity: LastActivity | null;
  /** The last change that was decided. */
  lastDecision: Decision | null;
  /** What keeps the next change back; null where nothing does. */
  heldBack: HeldBack | null;
  /** Until when it is neither scaled nor put to sleep (ISO 8601), and why; null where it may be. */
  frozen: { until: string; reason: string | null } | null;
  /** What the schedule asks for; null where there is none. */
  schedule: ScheduleStatus | null;
  /** Null until a start fails, and again once one has succeeded. */
  startFailure: StartFailure | null;
  /** How far the hosts that may run it are in getting its image; absent where there is only this machine. */
  images?: readonly HostImage[];
  /** What stands in its way now; empty when all is well. */
  troubles: Trouble[];
}

/** What scaling a service by hand does, or would do. */
export interface ScaleByHand {
  service: string;
  /** Replicas that Pilotlight runs, or has begun to start. */
  from: number;
  to: number;
  min: number;
  max: number;
  /** What keeps part of it waiting, one line each; it stays wanted. */
  limits: string[];
  /** For so long the scaler leaves the service alone then, ms. */
  cooldownMs: number;
  /** Only told, not done. */
  dryRun: boolean;
}

/** What a replica wrote last. */
export interface ReplicaOutput {
  replica: string;
  /** `failed`: it is of the last start that failed, and nothing runs there. */
  state: ReplicaState;
  /** Oldest first; harmless to a terminal, and without the values of `env`. */
  lines: string[];
}

/** What the admin API may ask of the control plane. */
export interface ControlApi {
  /** All services, by name, with statistics collected just now. */
  services(): Promise<ServiceStatus[]>;
  /** @throws SERVICE_UNKNOWN */
  service(name: string): Promise<ServiceStatus>;
  /** Where a service is, in use or not, replicas first, by address. @throws SERVICE_UNKNOWN */
  endpoints(name: string): Promise<EndpointStatus[]>;
  /**
   * Sets what holds for one endpoint until it is changed or the process ends. To drain a replica of ours is to retire it:
   * another takes its place where it is needed.
   * @param address as `endpoints` tells it
   * @returns all endpoints of the service as they are then
   * @throws SERVICE_UNKNOWN, ENDPOINT_UNKNOWN, REPLICA_NOT_READY, HANDING_OVER
   */
  changeEndpoint(name: string, address: string, change: Partial<EndpointByHand>): Promise<EndpointStatus[]>;
  /** What each replica that runs wrote last; where none runs, the last failed start. @throws SERVICE_UNKNOWN */
  output(name: string, lines: number): Promise<ReplicaOutput[]>;
  /** The last decisions about a service, also those before the last restart. @throws SERVICE_UNKNOWN */
  why(name: string): Promise<ServiceWhy>;
  /** The last starts of a service that succeeded under this process, oldest first. @throws SERVICE_UNKNOWN */
  starts(name: string): Promise<StartRecord[]>;
  /** How it stands with sources of endpoints that may fall out of touch; empty where no service is looked for in one. */
  sources(): Promise<SourceStatus[]>;
  /** What services cost, and would have cost otherwise. @param since ms since the epoch; at most 90 days are known */
  costs(since: number): Promise<Costs>;
  /** How the cluster of this proxy stands; absent or null where it acts alone. */
  cluster?(): Promise<ClusterStatus | null>;
  /** What all replicas take of the memory, and may take; null where there is no budget of it. */
  memory(): MemoryUse | null;
  /** Starts the service unless it runs and waits for nothing. @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE */
  wake(name: string): Promise<ServiceStatus>;
  /** Retires all replicas (two-phase; `min` is not kept). @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE, HANDING_OVER */
  sleep(name: string): Promise<ServiceStatus>;
  /**
   * Has it run so many replicas from now on; 0 puts it to sleep. Acts also where decisions of the scaler do not.
   * @param replicas 0, or from `min` to `max`
   * @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE, SCALE_OUT_OF_BOUNDS, HANDING_OVER
   */
  scale(name: string, replicas: number, dryRun: boolean): Promise<ScaleByHand>;
  /**
   * Stops scaling and sleeping for a while. Wakes, and starts in place of what died, go on.
   * @param name null: all services that can be started
   * @param dryRun nothing is done; what is returned is how they would stand
   * @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE, HANDING_OVER
   */
  freeze(name: string | null, forMs: number, reason: string | null, dryRun: boolean): Promise<ServiceStatus[]>;
  /** As before `freeze`, with the same parameters. @throws SERVICE_UNKNOWN, SERVICE_NOT_RUNNABLE, HANDING_OVER */
  unfreeze(name: string | null, dryRun: boolean): Promise<ServiceStatus[]>;
  /** Whether listeners stand and every source had its first answer (or 5 s passed), and no drain is under way. */
  ready(): boolean;
  /** Which source's first answer is waited for, in words that a stranger may read; undefined where none is. */
  awaited?(): string | undefined;
  /** Brings the metrics up to date before a scrape. */
  collect(): Promise<void>;
  /** Calls the sink for every event until the returned function is called. */
  subscribe(sink: EventSink): () => void;
}
