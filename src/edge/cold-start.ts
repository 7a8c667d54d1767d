import type { StartTimes } from './service.ts';

/**
 * Fields that tell a client that, and how long, it waited for a start: disjoint phases that add up to the wait.
 * @param from when the wait began, `to` when it ended, the clock's ms
 */
export function coldStartFields(start: StartTimes | undefined, from: number, to: number): string {
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
