import type { ServiceStatus, StartFailure } from '../model/status.ts';
import { printable } from '../util/printable.ts';
import { formatDuration } from '../util/units.ts';

const LINE_LENGTH = 1000;

/**
 * What is wrong with a service, a line each; nothing where all is well.
 * @param nowMs milliseconds since the epoch
 */
export function troubleLines({ startFailure, troubles }: ServiceStatus, nowMs: number): string[] {
  const standing = troubles.map(({ code, message, since }) => `${code} for ${age(since, nowMs)}: ${message}`);
  const failed = startFailure === null ? [] : failureLines(startFailure, nowMs);
  return [...standing, ...failed].map((line) => printable(line, LINE_LENGTH));
}

/** Why a start failed, in one line; what the replica wrote last follows, a line each. */
function failureLines(
  { at, replica, code, message, output, probe, ...failure }: StartFailure,
  nowMs: number,
): string[] {
  const facts = [`start of ${replica} failed ${age(at, nowMs)} ago: ${code}: ${message}`];
  // The message of one that was not ready in time says it already.
  if (probe !== null && !message.includes(probe.address)) facts.push(`last probe of ${probe.address}: ${probe.result}`);
  if (failure.inARow > 1) facts.push(`${failure.inARow} in a row`);
  const nextMs = failure.nextTryAt === null ? 0 : Date.parse(failure.nextTryAt) - nowMs;
  if (nextMs > 0) facts.push(`next try in ${formatDuration(nextMs)}`);
  return [facts.join('; '), ...output.map((line) => `| ${line}`)];
}

function age(since: string, nowMs: number): string {
  return formatDuration(Math.max(0, nowMs - Date.parse(since)));
}
