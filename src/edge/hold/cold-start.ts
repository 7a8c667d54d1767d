import type { StartPhases } from '../../model/snapshot.ts';
import type { SpanIdentity } from '../../model/traces.ts';

/** When a start reached each of its phases, in the edge's clock, ms. */
export interface ColdStart {
  /** When the edge heard that the service is ready. */
  heard: number;
  permit: number;
  started: number;
  ready: number;
  /** Undefined where it is not traced. */
  span?: SpanIdentity | undefined;
}

/** Converts the phases that control tells to this clock. Of a start that others made, only its end is known. */
export function coldStart(phases: StartPhases | null, now: number): ColdStart {
  if (phases === null) return { permit: 0, started: 0, ready: now, heard: now };
  const { permitAgo, startedAgo, readyAgo, span } = phases;
  return { permit: now - permitAgo, started: now - startedAgo, ready: now - readyAgo, heard: now, span };
}

/**
 * Makes the fields that tell a client how long it waited for a start: disjoint phases that add up to the wait.
 * @param from when the wait began, the clock's ms
 * @param to when it ended, the clock's ms
 */
export function coldStartFields(start: ColdStart | undefined, from: number, to: number): string {
  const permit = clamp(start?.permit ?? from, from, to);
  const started = clamp(start?.started ?? from, permit, to);
  const ready = clamp(start?.ready ?? from, started, to);
  const phases = `queue;dur=${ms(permit - from)}, start;dur=${ms(started - permit)}, ready;dur=${ms(ready - started)}`;
  return `X-Cold-Start: 1\r\nServer-Timing: ${phases}, release;dur=${ms(to - ready)}\r\n`;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function ms(value: number): string {
  return value.toFixed(1);
}
