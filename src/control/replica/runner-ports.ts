import type { PilotlightError } from '../../model/errors.ts';
import type { ProbeRequest } from '../../model/link.ts';
import type { StartCause } from '../../model/replica.ts';
import type { ReplicaSpec, Runtime } from '../../model/runtime.ts';
import type { ReadySettings } from '../../model/settings.ts';
import type { ControlContext } from '../context.ts';
import type { LinkHub } from '../link/hub.ts';
import type { Replica } from './replica.ts';

/** What is run in each place, and when it counts as ready, as the service's configuration has it at the moment. */
export interface RunnerSettings {
  spec: (ordinal: number) => ReplicaSpec;
  runtime: () => Runtime;
  ready: ReadySettings;
  check: ProbeRequest['check'];
}

/** What comes of starts, adoptions and stops, and of replicas that ended; called after the change, once each. */
export interface RunnerListener {
  /** Something changed that the edges should know soon. */
  onChange(): void;
  /** `cause` is undefined for an adopted one. */
  onReady(replica: Replica, cause: StartCause | undefined): void;
  /** A start came to nothing, or its replica ended within 10 s of being ready. `run`: the runtime's id of it, if any. */
  onStartFailed(replica: Replica, error: PilotlightError, askedAt: number, run: string | undefined): void;
  /** A start was called off. */
  onStartWithdrawn(replica: Replica): void;
  /** A found replica did not prove itself. */
  onAdoptFailed(replica: Replica, error: PilotlightError): void;
  /** A ready replica ended by itself, or by somebody else's doing. */
  onExited(replica: Replica, exit: ReplicaExit): void;
  /** It is not there for long any more, as its `leaving` tells: another one has to take its place. */
  onLeaving(replica: Replica): void;
  /** It is frozen. @param pauseMs how long that took; undefined where it was found so */
  onPaused(replica: Replica, pauseMs: number | undefined): void;
  /** It could not be frozen, and is stopped instead. */
  onPauseFailed(replica: Replica, error: PilotlightError): void;
  /** It was to go on and did not, and is stopped: another one is needed in its place. */
  onResumeFailed(replica: Replica, error: PilotlightError): void;
  /** It ended while it was frozen. */
  onFrozenEnded(replica: Replica, detail: string): void;
  /**
   * A replica that was to be stopped runs no more.
   * @param stopMs how long the runtime took to stop it; undefined where it ended by itself
   */
  onStopped(replica: Replica, reason: string, stopMs: number | undefined): void;
  /** What the runtime knows is not certain any more: list again. */
  onUncertain(): void;
}

export interface ReplicaExit {
  /** How it ended, in words. */
  detail: string;
  /** How long it was ready, ms, where it ended by itself and too soon for that to be in order. */
  crashedAfterMs: number | undefined;
  /** It went with its host. */
  isLost: boolean;
}

export interface RunnerOptions {
  service: string;
  context: ControlContext;
  hub: LinkHub;
  settings: () => RunnerSettings;
  listener: RunnerListener;
  /** Sends the service's state to the edges at once. @returns its version */
  publish: () => number;
  /** Whether replicas may be stopped; else one that comes to nothing is left to be found again. */
  mayEnd: () => boolean;
}
