import type { DiscoverySource, Registrar } from '../model/discovery.ts';
import type { KnownEndpoints } from '../model/hand-over.ts';
import type { HostMemory } from '../model/host-memory.ts';
import type { Journal } from '../model/journal.ts';
import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import type { Logger, Metrics } from '../model/observe.ts';
import type { Runtime } from '../model/runtime.ts';
import type { Settings } from '../model/settings.ts';
import type { RoutingTable } from '../model/snapshot.ts';
import type { ControlApi } from '../model/status.ts';
import type { LatencyThreshold } from '../model/threshold.ts';
import type { Traces } from '../model/traces.ts';
import type { UpstreamTls } from '../model/upstream.ts';
import type { ChannelEnd } from '../util/channel.ts';
import type { Clock } from '../util/clock.ts';
import type { CostHistory } from './journal/cost-history.ts';
import type { AbsentEdges } from './link/absent-edges.ts';
import type { IdleLearnt } from './scale/idle-learnt.ts';
import type { LearntStore } from './scale/learnt-store.ts';
import type { SiblingGaps } from './scale/sibling-gaps.ts';
import type { Freezes } from './service/freezes.ts';
import type { KeptByHand } from './service/kept-by-hand.ts';

export interface ControlOptions {
  settings: Settings;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Takes the starts. Default: nothing does. */
  traces?: Traces | undefined;
  runtimes: readonly Runtime[];
  sources: readonly DiscoverySource[];
  /** Absent: nothing is registered. */
  registrar?: Registrar | undefined;
  /** This Pilotlight's identity. */
  instance: string;
  /** Under which values are made that clients keep, such as sticky cookies. Default: one that does not outlive this. */
  secret?: string;
  /** What the files of `upstream.tls` hold now, by service. Default: nothing is read. */
  upstreamTls?: () => ReadonlyMap<string, UpstreamTls>;
  /** Keeps decisions over restarts. Default: nothing does. */
  journal?: Journal;
  /** Keeps freezes over restarts. Default: nothing does. */
  freezes?: Freezes;
  /** Keeps what operators set of endpoints and counts over restarts. Default: nothing does. */
  byHand?: KeptByHand;
  /** Keeps what scaling learns over restarts. Default: nothing does. */
  learnt?: LearntStore;
  /** Keeps what the idle policy learns over restarts. Default: nothing does. */
  idleLearnt?: LearntStore<IdleLearnt>;
  /** Keeps what it learns of all services together over restarts. Default: nothing does. */
  siblingsLearnt?: LearntStore<SiblingGaps>;
  /** Keeps what services cost over restarts. Default: nothing does. */
  costs?: LearntStore<CostHistory>;
  /** Memory of the host. Absent: there is no budget of it. */
  hostMemory?: () => HostMemory;
  /** In [0, 1), for jitter. Default: Math.random. */
  random?: () => number;
  /** Whether another process still uses the replicas: they are not ended before `takeOver`. Default: false. */
  succeeding?: boolean;
  /** Settles when the edges that an earlier control plane led have attached, or will not. Absent: there was none. */
  edgesKnown?: Promise<unknown> | undefined;
  /** Whether it may act on replicas at this moment. Default: always. */
  mayAct?: () => boolean;
  /** What sources said to the process before this one, which holds until they answer, and what operators set. */
  known?: Partial<KnownEndpoints> | undefined;
}

export interface Control extends ControlApi {
  /**
   * Takes an edge into service; it gets the whole table first. Closing the link takes it out.
   * @param end ends the edge at once, and so closes the link: called when it does not acknowledge a cordon within 5 s.
   *   Without it such an edge counts as gone for that retire.
   */
  attach(edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end?: () => void): void;
  /** Edges that are cut off and go on by what they were told last: what they may use is not stopped without need. */
  readonly absent: AbsentEdges;
  /**
   * Follows the sources and the runtimes, takes over what runs already, and begins to act. Resolves when every runtime
   * was asked once, whether it answered or not. The signal ends everything at once, without a drain.
   */
  start(signal: AbortSignal): Promise<void>;
  /** What edges are told of the configuration. */
  table(): RoutingTable;
  /** Takes over another configuration; services that did not change are left alone. */
  reconfigure(settings: Settings): void;
  /** Rights by which entries live in the catalogue have changed: all are put in anew. */
  renewRegistrations(): void;
  /** From when on a service counts as slow; null where nothing can be started. @throws SERVICE_UNKNOWN */
  threshold(service: string): LatencyThreshold | null;
  /** The predecessor has ended: replicas are this one's alone. */
  takeOver(): void;
  /**
   * A successor takes the replicas over: from now on none is started or ended here, nor deregistered. What requests wait
   * for is the successor's to start; what it starts is used here too.
   * @param wake asks the successor for a service
   * @param signal limits the wait for what is being started or stopped
   * @throws the signal's reason; then all is as before
   */
  letGo(wake: (service: string) => void, signal: AbortSignal): Promise<void>;
  /** What sources said last of where endpoints are, and what operators set, for a successor. */
  knownEndpoints(): KnownEndpoints;
  /** The successor came to nothing: all is as before `letGo`. */
  resume(): void;
  /** Resolves when it is ready, and what was found running at the start has proved itself or has not. */
  settled(signal: AbortSignal): Promise<void>;
  /** The proxy is about to end: not ready any more, deregistered, nothing started but what requests wait for. */
  beginDrain(): void;
  /** Ends: replicas with `onExit: stop` are stopped, others stay. Resolves when done, or when the signal is aborted. */
  shutdown(signal: AbortSignal): Promise<void>;
}
