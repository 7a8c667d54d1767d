import { PilotlightError } from '../model/errors.ts';
import type { ServiceStatus } from '../model/status.ts';
import { sleep } from '../util/clock.ts';
import { formatDuration, parseDuration } from '../util/units.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';
import { troubleLines } from './trouble-lines.ts';

interface WakeOptions extends AdminOptions {
  'no-wait'?: true;
  json?: true;
  timeout?: string;
}

/** Pause between two looks at a service that is waking, ms. */
const LOOK_MS = 250;
/** A service that was asked for and neither starts nor says why is given up after this, ms. */
const STALLED_MS = 3000;

/**
 * `wake SERVICE`: starts it unless it runs, and waits until it is ready or the start failed. Whoever stops waiting (the
 * signal, a time-out) leaves the start to itself.
 */
export async function wakeService(
  name: string,
  given: WakeOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { clock, err } = terminal;
  const timeoutMs = timeoutOf(given);
  const client = createAdminClient(await findAdmin(given, terminal));
  if (given['no-wait'] === true) return tell(await client.wake(name), given, terminal);
  const deadline = clock.now() + timeoutMs;
  const failedBefore = failureOf(await client.service(name));
  let status = await client.wake(name);
  for (let movedAt = clock.now(); ; status = await client.service(name)) {
    if (status.state === 'ready') return tell(status, given, terminal);
    const now = clock.now();
    if (failureOf(status) !== failedBefore) break;
    if (status.state === 'waking' || status.state === 'retiring') movedAt = now;
    else if (now - movedAt >= (status.troubles.length > 0 ? 0 : STALLED_MS)) break;
    if (now >= deadline) {
      err(`${name} is ${status.state} after ${formatDuration(timeoutMs)}; the start goes on`);
      return 1;
    }
    await sleep(clock, Math.min(LOOK_MS, deadline - now), signal).catch(() => undefined);
    if (signal.aborted) {
      err(`${name} is ${status.state}; the start goes on`);
      return 1;
    }
  }
  if (given.json === true) terminal.out(JSON.stringify(status, null, 2));
  err(`${name} is ${status.state}`);
  for (const line of troubleLines(status, clock.wall())) err(`  ${line}`);
  return 1;
}

/** `sleep SERVICE`: retires every replica; requests under way finish first. */
export async function sleepService(
  name: string,
  given: AdminOptions & { json?: true },
  terminal: Terminal,
): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  return tell(await client.sleep(name), given, terminal);
}

/** What tells one failure from another. */
function failureOf({ startFailure }: ServiceStatus): string {
  return startFailure === null ? '' : `${startFailure.at} ${startFailure.replica} ${startFailure.inARow}`;
}

function timeoutOf({ timeout }: WakeOptions): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  const ms = parseDuration(timeout);
  if (ms === undefined) {
    throw new PilotlightError('USAGE', `--timeout is a duration such as 30s or 2m, not "${timeout}"`);
  }
  return ms;
}

function tell(status: ServiceStatus, { json }: { json?: true }, terminal: Terminal): number {
  terminal.out(json === true ? JSON.stringify(status, null, 2) : `${status.name} is ${status.state}`);
  return 0;
}
