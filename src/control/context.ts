import type { EventType } from '../model/events.ts';
import type { Journal } from '../model/journal.ts';
import type { Logger, Metrics } from '../model/observe.ts';
import type { Traces } from '../model/traces.ts';
import type { Clock } from '../util/clock.ts';

/** Takes what happened, for people and for the event stream. */
export interface EventEmitter {
  /**
   * @param service null where it concerns none in particular
   * @param message one line for people, without time and type
   */
  emit(
    type: EventType,
    service: string | null,
    message: string,
    data?: Record<string, string | number | boolean>,
  ): void;
}

/** What every part of the control plane needs. */
export interface ControlContext {
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Undefined where nothing is traced. */
  traces?: Traces | undefined;
  events: EventEmitter;
  /** Keeps decisions over restarts. */
  journal: Journal;
  /** This Pilotlight's identity. */
  instance: string;
  /** In [0, 1), for jitter. */
  random: () => number;
  /** Aborted when the control plane ends. */
  life: AbortSignal;
}

/** Runs `fn`; what it throws is logged and goes no further: a defect in one place must not stop the others. */
export function guarded(logger: Logger, what: string, fn: () => void): void {
  try {
    fn();
  } catch (cause) {
    logger.error({ cause: describe(cause) }, `control failed at: ${what}`);
  }
}

/** Lets a promise run by itself; a rejection is logged, unless the control plane has ended. */
export function detached(
  context: Pick<ControlContext, 'logger' | 'life'>,
  what: string,
  promise: Promise<unknown>,
): void {
  promise.catch((cause: unknown) => {
    if (!context.life.aborted) context.logger.error({ cause: describe(cause) }, `control failed at: ${what}`);
  });
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
