import type { DiskUsage } from './costs.ts';
import type { PilotlightError } from './errors.ts';
import type { HostPort, RunSettings } from './settings.ts';

/** What is to run: one replica of one service. */
export interface ReplicaSpec {
  /** The service's name. */
  service: string;
  /** 1 to `max`: the replica's place; its name is `<service>-<ordinal>`. */
  ordinal: number;
  /** This Pilotlight's identity: two proxies on one machine do not touch each other's replicas. */
  instance: string;
  run: RunSettings;
  /** Hash of `run`: tells a replica of an older configuration. */
  hash: string;
}

/** What the runtime says of one replica. */
export interface Instance {
  /** Container id, or `pid@kernel start time`: another run of the same replica differs in `id` or `startedAt`. */
  id: string;
  service: string;
  ordinal: number;
  hash: string;
  state: 'created' | 'running' | 'paused' | 'stopped';
  /** Where it listens; undefined unless it runs or is paused. */
  address: HostPort | undefined;
  /** Where it may listen instead, at the same port; what is found there has to be its own (`listener`). */
  otherHost?: string | undefined;
  /** Milliseconds since the epoch; 0 unless it ran. */
  startedAt: number;
  /** Docker's HEALTHCHECK; none where the container has no such check. */
  health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  /** Of the last run, where known. */
  exitCode: number | undefined;
  /** Of the last run: whether it was ended for want of memory. `perhaps`: by SIGKILL, and nobody tells whose. */
  outOfMemory?: 'yes' | 'perhaps' | undefined;
  /**
   * Of the last run: whether somebody had it end. `perhaps`: it ended in order, which a program does when it is asked to,
   * but also by itself.
   */
  endedByHand?: 'yes' | 'perhaps' | undefined;
  /** Of the last run: it went with its host, which is no fault of its own: why, as in `its host is down`. */
  lost?: string | undefined;
  /** Of the last run: it was given up as it listens no more, which is its own doing, though it may still run: in words. */
  deaf?: string | undefined;
  /**
   * It runs, but not for long, or nobody knows for how long: why, as in `its host is drained`. It is used until another
   * one has taken its place, and never again.
   */
  leaving?: string | undefined;
  /** It ended, and another program listens where it was to: it may never have had the port. */
  portTaken?: boolean | undefined;
}

/**
 * What a replica's own health check came to when it was run. `late`: it had no result in its time, and may still run;
 * `unknown`: it cannot be run from here.
 */
export interface HealthVerdict {
  verdict: 'passed' | 'failed' | 'late' | 'unknown';
  detail: string;
}

/**
 * Who listens at an address of a replica. `replica`: itself, and it lives. `ended`: whoever it is, the replica has ended or
 * is about to, though its runtime may not know yet. `pid`: undefined where it may not be seen.
 */
export type Listener =
  | { by: 'replica' }
  | { by: 'nobody' }
  | { by: 'ended' }
  | { by: 'stranger'; pid: number | undefined };

/**
 * Something happened to a replica, ours or someone else's doing. `leaving`: another one has to take its place. `lost`: the
 * watch broke; list again.
 */
export type RuntimeEvent =
  | { type: 'started' | 'leaving' | 'exited'; id: string; service: string; ordinal: number }
  | { type: 'lost'; cause?: PilotlightError | undefined }
  | { type: 'restored' };

/** How far one of the hosts on which replicas may be placed is in getting their image. */
export interface HostImage {
  host: string;
  state: 'pulling' | 'there' | 'missing';
  /** Why it is missing. */
  detail?: string;
}

/** What a replica takes of the machine. */
export interface ReplicaUsage {
  memoryMiB: number;
  /** Since it was started. */
  cpuSeconds: number;
}

/**
 * Starts and stops replicas. Implementations are unaware of demand, readiness and routing. All methods take a signal;
 * an abort rejects with the signal's reason and may leave the replica in either state: list tells.
 */
export interface Runtime {
  /** As a `run` names it, and messages. */
  readonly name: string;

  /** Whether replicas of a `run` are pre-positioned; else there is nothing of them before they run. */
  prepares(run: RunSettings): boolean;

  /**
   * Whether a `run` names the one thing that there is, which cannot run twice: the old replica has to end before a new one
   * starts.
   */
  runsInPlace(run: RunSettings): boolean;

  /**
   * Pre-positions a replica so that a start is quick; does nothing where it is or where its `run` asks for no such thing.
   * A leftover of another hash that does not run is replaced.
   * @throws IMAGE_MISSING, CONTAINER_MISSING, MOUNT_MISSING, RUNTIME_UNREACHABLE, RUNTIME_FAILED
   */
  prepare(spec: ReplicaSpec, signal: AbortSignal): Promise<void>;

  /**
   * Starts the replica and resolves when the runtime has started it (not: when it is ready).
   * @throws IMAGE_MISSING, CONTAINER_MISSING, MOUNT_MISSING, COMMAND_NOT_FOUND, PORT_CLASH, NO_NODE_FITS, NOT_A_MANAGER,
   * RUNTIME_UNREACHABLE, RUNTIME_FAILED
   */
  start(spec: ReplicaSpec, signal: AbortSignal): Promise<Instance>;

  /** What the runtime knows of a replica now; undefined when it is gone. @throws RUNTIME_UNREACHABLE */
  inspect(id: string, signal: AbortSignal): Promise<Instance | undefined>;

  /**
   * Who listens now at an address that is a replica's, or may be (`otherHost`), by what this machine itself knows; undefined
   * where it does not tell. Absent: it never does.
   */
  listener?(id: string, address: HostPort, signal: AbortSignal): Promise<Listener | undefined>;

  /** Runs the replica's own health check (Docker's HEALTHCHECK) now. @throws RUNTIME_UNREACHABLE, RUNTIME_FAILED */
  checkHealth?(id: string, signal: AbortSignal): Promise<HealthVerdict>;

  /** What it takes now; undefined where that is not known. Absent: it is never known. @throws RUNTIME_UNREACHABLE */
  usage?(id: string, signal: AbortSignal): Promise<ReplicaUsage | undefined>;

  /**
   * Freezes it with all its processes, and resolves when it is frozen: it keeps its memory and its address, and does
   * nothing. Absent: replicas of this runtime cannot be frozen. @throws RUNTIME_UNREACHABLE, RUNTIME_FAILED
   */
  pause?(id: string, signal: AbortSignal): Promise<void>;

  /**
   * Has a frozen one go on; one that runs is left as it is. Absent where `pause` is.
   * @throws RUNTIME_UNREACHABLE, RUNTIME_FAILED; REPLICA_EXITED where it runs no more
   */
  resume?(id: string, signal: AbortSignal): Promise<Instance>;

  /**
   * What the images of some `run`s take of the disk now, in their order; undefined for one that has none, or is not there.
   * Absent: there are no images. @throws RUNTIME_UNREACHABLE, RUNTIME_FORBIDDEN, RUNTIME_FAILED
   */
  disk?(runs: readonly RunSettings[], signal: AbortSignal): Promise<(DiskUsage | undefined)[]>;

  /**
   * How far the hosts that may run replicas are in getting the image of a `run`, as it was known a moment ago. Absent: there
   * is only this machine.
   */
  images?(run: RunSettings): readonly HostImage[];

  /** Stops it (signal, grace, kill), frozen or not, and resolves when it runs no more; at once when it does not run. */
  stop(id: string, stop: { signal: string; graceMs: number }, signal: AbortSignal): Promise<void>;

  /** Removes what does not run of this service (pre-positioned containers of ours, records). Never an existing container. */
  clean(service: string, signal: AbortSignal): Promise<void>;

  /**
   * All replicas of this instance, running or pre-positioned, with the containers named in `specs`.
   * @throws RUNTIME_UNREACHABLE, RUNTIME_FORBIDDEN
   */
  list(specs: ReplicaSpec[], signal: AbortSignal): Promise<Instance[]>;

  /** Reports events until aborted; reconnects by itself. Exits of replicas are reported within 1 s. */
  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void;

  /** The last lines of what the replica wrote in its present run, or its last one, oldest first. */
  output(id: string, lines: number, signal: AbortSignal): Promise<string[]>;
}
