import type Docker from 'dockerode';
import type { Instance } from '../../model/runtime.ts';
import { ORDERLY_EXITS, signalOf } from '../../util/signals.ts';

/** Signals that people and supervisors end programs with. */
const ENDING = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL']);
/** A restart takes no longer from its signal to the new run, ms. */
const RESTART_MS = 60_000;

interface Kill {
  /** As the engine names it: by number, or by name. */
  signal: string;
  /** By the engine's clock, ms. */
  at: number;
}

/**
 * Signals that containers were sent through the engine, each with an event that comes before that of the end: `docker
 * stop`, `docker kill`, `docker restart` and `docker rm -f` leave one, a crash does not.
 */
export class ContainerKills {
  readonly #last = new Map<string, Kill>();

  note(id: string, signal: string, at: number): void {
    this.#last.set(id, { signal, at });
  }

  forget(id: string): void {
    this.#last.delete(id);
  }

  /** Whether somebody had the container end; of one that runs: the run before, for a restart. */
  endedByHand({ Id, State, Config }: Docker.ContainerInspectInfo, instance: Instance): Instance['endedByHand'] {
    // Nothing but a person pauses what serves.
    if (instance.state === 'paused') return 'yes';
    const kill = this.#last.get(Id);
    if (instance.state === 'running') {
      const agoMs = instance.startedAt - (kill?.at ?? Number.NEGATIVE_INFINITY);
      return agoMs >= 0 && agoMs < RESTART_MS ? 'yes' : undefined;
    }
    if (instance.state !== 'stopped' || instance.outOfMemory !== undefined) return undefined;
    const own = nameOf((Config as { StopSignal?: string }).StopSignal ?? '');
    const signal = nameOf(kill?.signal ?? '');
    if (kill !== undefined && kill.at >= instance.startedAt && (ENDING.has(signal) || signal === own)) return 'yes';
    return ORDERLY_EXITS.has(State.ExitCode) ? 'perhaps' : undefined;
  }
}

/** `15`, `TERM` and `SIGTERM` are the same. */
function nameOf(signal: string): string {
  return signalOf(128 + Number(signal)) ?? `SIG${signal.toUpperCase().replace(/^SIG/, '')}`;
}
