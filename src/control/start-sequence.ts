import { PilotlightError } from '../model/errors.ts';
import type { ProbeRequest } from '../model/link.ts';
import type { Instance, ReplicaSpec, Runtime } from '../model/runtime.ts';
import type { HostPort, ReadySettings } from '../model/settings.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { formatDuration } from '../util/units.ts';
import { withDeadline } from './deadline.ts';
import type { ProbeOrder, ProbeOutcome } from './link-hub.ts';
import { isSameRun } from './replica.ts';

/** Attempts for which it may turn out that somebody else took the port first. */
const PORT_ATTEMPTS = 6;
/** A runtime that does not answer within this counts as failed, ms. */
export const RUNTIME_CALL_MS = 60_000;
/** How often the health that the engine reports is looked at, ms. */
const HEALTH_POLL_MS = 250;

export interface ReadinessContext {
  clock: Clock;
  probe: (order: ProbeOrder, signal: AbortSignal) => Promise<ProbeOutcome>;
  runtime: Runtime;
  service: string;
  /** Identity under which the edges will know this run. */
  endpoint: string;
  ready: ReadySettings;
  check: ProbeRequest['check'];
}

/**
 * Has the runtime start the replica.
 * @throws what the runtime throws; RUNTIME_FAILED when it does not answer
 */
export function launch(clock: Clock, runtime: Runtime, spec: ReplicaSpec, life: AbortSignal): Promise<Instance> {
  return withDeadline(clock, RUNTIME_CALL_MS, life, (signal) => runtime.start(spec, signal));
}

/**
 * Runs attempts at one start: where another program took the port in between, the next one at once, with another port.
 * @throws what the last attempt throws
 */
export async function untilNoClash(attempt: () => Promise<void>, life: AbortSignal): Promise<void> {
  for (let left = PORT_ATTEMPTS - 1; ; left--) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!isPortClash(thrown) || left === 0 || life.aborted) throw thrown;
    }
  }
}

/**
 * Resolves when the instance is ready *and* is still the one that was started: probed first, then looked at again, so
 * that the connection which the probe left open belongs to it and not to whatever listens there now.
 * @throws READY_TIMEOUT, IDENTITY_CHANGED, REPLICA_EXITED, PORT_CLASH, RUNTIME_FAILED; the signal's reason when aborted
 */
export async function proveReady(context: ReadinessContext, instance: Instance, signal: AbortSignal): Promise<void> {
  const { clock, ready, runtime } = context;
  const deadline = clock.now() + ready.timeoutMs;
  if (instance.state !== 'running') throw endedEarly('it ended at once', instance);
  if (instance.address === undefined) {
    throw new PilotlightError('RUNTIME_FAILED', 'it runs, but the runtime knows no address of it');
  }
  if (ready.kind === 'docker-health') await untilHealthy(context, instance, deadline, signal);
  await untilAnswers(context, instance.address, deadline, signal);
  const again = await lookAgain(runtime, instance, clock, signal);
  if (again === undefined || again.state !== 'running') {
    throw endedEarly('it ended while it was started', again);
  }
  if (!isSameRun(instance, again)) {
    throw new PilotlightError('IDENTITY_CHANGED', 'what answered the probe is not what was started');
  }
}

async function untilAnswers(context: ReadinessContext, address: HostPort, deadline: number, signal: AbortSignal) {
  const { clock, service, endpoint, check, ready } = context;
  const timeoutMs = Math.max(1, deadline - clock.now());
  const outcome = await context.probe({ service, endpoint, ...address, check, timeoutMs }, signal);
  if (!outcome.ok) throw notInTime(ready);
}

/** Waits for the engine's own health check. */
async function untilHealthy(context: ReadinessContext, instance: Instance, deadline: number, signal: AbortSignal) {
  const { clock, ready, runtime } = context;
  for (;;) {
    const now = await lookAgain(runtime, instance, clock, signal);
    if (now?.health === 'healthy') return;
    if (now?.health === 'none') {
      throw new PilotlightError('RUNTIME_FAILED', 'ready is docker-health, but the container has no HEALTHCHECK');
    }
    if (clock.now() >= deadline) throw notInTime(ready);
    await sleep(clock, HEALTH_POLL_MS, signal);
  }
}

function lookAgain(runtime: Runtime, { id }: Instance, clock: Clock, signal: AbortSignal) {
  return withDeadline(clock, RUNTIME_CALL_MS, signal, (inner) => runtime.inspect(id, inner));
}

function notInTime(ready: ReadySettings): PilotlightError {
  return new PilotlightError('READY_TIMEOUT', `not ready within ${formatDuration(ready.timeoutMs)}`);
}

/** Why a start failed whose replica ended. With its port in other hands it is worth another try at once. */
export function endedEarly(when: string, now: Instance | undefined): PilotlightError {
  if (now?.portTaken === true) return new PilotlightError('PORT_CLASH', `${when}: another program took its port`);
  return new PilotlightError('REPLICA_EXITED', `${when}${exitText(now)}`);
}

export function isPortClash(thrown: unknown): boolean {
  return thrown instanceof PilotlightError && thrown.code === 'PORT_CLASH';
}

/** ` (exit code N)` where it is known. */
export function exitText(instance: Instance | undefined): string {
  return instance?.exitCode === undefined ? '' : ` (exit code ${instance.exitCode})`;
}
