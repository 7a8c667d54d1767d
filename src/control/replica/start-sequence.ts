import { PilotlightError } from '../../model/errors.ts';
import type { ProbeRequest } from '../../model/link.ts';
import type { HealthVerdict, Instance, ReplicaSpec, Runtime } from '../../model/runtime.ts';
import type { HostPort, ReadySettings } from '../../model/settings.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { hostPort } from '../../util/host-port.ts';
import { signalOf } from '../../util/signals.ts';
import { formatDuration } from '../../util/units.ts';
import type { ProbeOrder, ProbeOutcome } from '../link/hub.ts';
import { isSameRun, type StartAttempt } from './replica.ts';
import { callRuntime, RUNTIME_CALL_MS } from './runtime-call.ts';

/** Attempts for which it may turn out that somebody else took the port first, or that the host is lost. */
const ATTEMPTS = 6;
/** Pause between two looks at a replica's health: a tenth of the time so far, within these bounds, ms. */
const HEALTH_POLL_MS = 250;
const MAX_HEALTH_PAUSE_MS = 2000;

export interface ReadinessContext {
  clock: Clock;
  probe: (
    order: ProbeOrder,
    signal: AbortSignal,
    onTry: (host: string, result: string) => void,
  ) => Promise<ProbeOutcome>;
  runtime: Runtime;
  service: string;
  /** Identity under which the edges will know this run. */
  endpoint: string;
  ready: ReadySettings;
  check: ProbeRequest['check'];
  /** Takes note of what is seen. */
  attempt: StartAttempt;
}

/**
 * Has the runtime start the replica.
 * @throws what the runtime throws; RUNTIME_FAILED when it does not answer
 */
export function launch(clock: Clock, runtime: Runtime, spec: ReplicaSpec, life: AbortSignal): Promise<Instance> {
  return callRuntime(clock, RUNTIME_CALL_MS, life, (signal) => runtime.start(spec, signal));
}

/**
 * Runs attempts at one start: where another program took the port in between, or the host is lost, the next one at once,
 * at another port or on another host.
 * @throws what the last attempt throws
 */
export async function untilUndisturbed(attempt: () => Promise<void>, life: AbortSignal): Promise<void> {
  for (let left = ATTEMPTS - 1; ; left--) {
    try {
      return await attempt();
    } catch (thrown) {
      if (!isDisturbed(thrown) || left === 0 || life.aborted) throw thrown;
    }
  }
}

/**
 * Resolves when the instance is ready *and* is still the one that was started: probed first, then looked at again, so
 * that the connection which the probe left open belongs to it and not to whatever listens there now.
 * @returns the host at which it answered
 * @throws READY_TIMEOUT, SPEAKS_TLS, IDENTITY_CHANGED, REPLICA_EXITED, OUT_OF_MEMORY, COMMAND_NOT_FOUND, PORT_CLASH,
 * RUNTIME_FAILED; the signal's reason when aborted
 */
export async function proveReady(context: ReadinessContext, instance: Instance, signal: AbortSignal): Promise<string> {
  const { clock, ready, runtime, attempt } = context;
  const deadline = clock.now() + ready.timeoutMs;
  if (instance.state !== 'running') throw endedEarly('it ended at once', instance, attempt);
  if (instance.address === undefined) {
    throw new PilotlightError('RUNTIME_FAILED', 'it runs, but the runtime knows no address of it');
  }
  if (ready.kind === 'own-check') await untilHealthy(context, instance, deadline, signal);
  const host = await untilAnswers(context, instance, instance.address, deadline, signal);
  const again = await lookAgain(runtime, instance, clock, signal);
  if (again === undefined || again.state !== 'running') {
    throw endedEarly('it ended while it was started', again, attempt);
  }
  if (!isSameRun(instance, again)) {
    throw new PilotlightError('IDENTITY_CHANGED', 'what answered the probe is not what was started');
  }
  return host;
}

/**
 * Waits for an answer of the replica itself, at the host that the runtime names or at the other one that it may listen on.
 * @returns the host that answered
 */
async function untilAnswers(
  context: ReadinessContext,
  { id, otherHost }: Instance,
  address: HostPort,
  deadline: number,
  signal: AbortSignal,
): Promise<string> {
  let other = otherHost;
  for (let unseen = 0; ; ) {
    const host = await untilAnswered(context, id, address, other, deadline, signal);
    const there = { ...address, host };
    const listener = await whoListens(context, id, there, signal);
    if (listener?.by === 'replica') return host;
    if (host !== address.host) {
      if (listener === undefined) throw perhapsAnother(there, address);
      // Somebody else's: ours may still come.
      other = undefined;
    } else if (listener?.by === 'stranger') {
      throw portTaken(address.port, listener.pid);
    } else if (listener === undefined || ++unseen === 2) {
      // What answers again though nobody listens is led elsewhere by the kernel.
      return host;
    }
  }
}

function whoListens({ clock, runtime }: ReadinessContext, id: string, address: HostPort, signal: AbortSignal) {
  return callRuntime(clock, RUNTIME_CALL_MS, signal, async (inner) => runtime.listener?.(id, address, inner));
}

function perhapsAnother(there: HostPort, address: HostPort): PilotlightError {
  const where = `${hostPort(there)}, not on ${hostPort(address)}`;
  return new PilotlightError('IDENTITY_CHANGED', `what answers listens on ${where}: it may be another program`);
}

/** Another program listens where a replica was to. */
export function portTaken(port: number | undefined, pid: number | undefined): PilotlightError {
  const whose = pid === undefined ? '' : ` (pid ${pid})`;
  return new PilotlightError('PORT_CLASH', `port ${port ?? '?'} was taken by another program${whose}`);
}

/**
 * @returns the host that answered
 * @throws PORT_CLASH as soon as another program is seen to answer, whatever its answers are
 */
async function untilAnswered(
  context: ReadinessContext,
  id: string,
  address: HostPort,
  otherHost: string | undefined,
  deadline: number,
  signal: AbortSignal,
): Promise<string> {
  const { clock, service, endpoint, check, ready, attempt } = context;
  const timeoutMs = Math.max(1, deadline - clock.now());
  const order = { service, endpoint, ...address, otherHost, check, timeoutMs };
  const taken = new AbortController();
  const look = async (): Promise<void> => {
    const listener = await whoListens(context, id, address, taken.signal);
    if (listener?.by === 'stranger') taken.abort(portTaken(address.port, listener.pid));
  };
  try {
    const outcome = await context.probe(order, AbortSignal.any([signal, taken.signal]), (host, result) => {
      attempt.probe = { address: hostPort({ ...address, host }), result };
      // What cannot be known is no reason to break off.
      if (host === address.host) look().catch(() => undefined);
    });
    if (!outcome.ok && outcome.reason === 'tls') {
      const where = attempt.probe?.address ?? hostPort(address);
      throw new PilotlightError('SPEAKS_TLS', `${outcome.detail} on ${where}: TLS to upstreams is not supported yet`);
    }
    if (!outcome.ok) throw notInTime(ready, attempt);
    return outcome.host;
  } finally {
    taken.abort();
  }
}

/**
 * Waits until the replica's own health check has passed. The engine runs it for the first time when an interval is over,
 * and then once in each: it is run from here as well, as soon and as often as it is good for a start.
 */
async function untilHealthy(context: ReadinessContext, instance: Instance, deadline: number, signal: AbortSignal) {
  const { clock, ready, runtime, attempt } = context;
  const began = clock.now();
  for (let isRun = runtime.checkHealth !== undefined; ; ) {
    const now = await lookAgain(runtime, instance, clock, signal);
    if (now?.health === 'healthy') return;
    if (now?.health === 'none') {
      throw new PilotlightError('RUNTIME_FAILED', 'ready is docker-health, but the container has no HEALTHCHECK');
    }
    if (clock.now() >= deadline) throw notInTime(ready, attempt);
    if (isRun && now?.state === 'running') {
      const { verdict, detail } = await checkHealth(context, instance, deadline, signal);
      if (verdict === 'passed') return;
      attempt.probe = { address: 'HEALTHCHECK', result: detail };
      // One that hangs is not begun again and again.
      isRun = verdict === 'failed';
    }
    const pause = Math.min(MAX_HEALTH_PAUSE_MS, Math.max(HEALTH_POLL_MS, (clock.now() - began) / 10));
    await sleep(clock, pause, signal);
  }
}

async function checkHealth(
  { clock, runtime }: ReadinessContext,
  { id }: Instance,
  deadline: number,
  signal: AbortSignal,
): Promise<HealthVerdict> {
  const limitMs = Math.max(1, Math.min(RUNTIME_CALL_MS, deadline - clock.now()));
  const late: HealthVerdict = { verdict: 'late', detail: 'no result in time' };
  try {
    return await callRuntime(clock, limitMs, signal, async (inner) => (await runtime.checkHealth?.(id, inner)) ?? late);
  } catch (thrown) {
    if (signal.aborted || clock.now() < deadline) throw thrown;
    return late;
  }
}

function lookAgain(runtime: Runtime, { id }: Instance, clock: Clock, signal: AbortSignal) {
  return callRuntime(clock, RUNTIME_CALL_MS, signal, (inner) => runtime.inspect(id, inner));
}

function notInTime(ready: ReadySettings, { probe }: StartAttempt): PilotlightError {
  const last = probe === undefined ? '' : `; the last probe of ${probe.address} ended with: ${probe.result}`;
  return new PilotlightError('READY_TIMEOUT', `not ready within ${formatDuration(ready.timeoutMs)}${last}`);
}

/**
 * Why a start failed whose replica runs no more before it was ready. With its port in other hands, or its host lost, it is
 * worth another try. What somebody paused is there all the same, and has to be stopped.
 */
export function endedEarly(when: string, now: Instance | undefined, attempt: StartAttempt): PilotlightError {
  if (now?.state === 'paused') return new PilotlightError('RUNTIME_FAILED', 'somebody paused it before it was ready');
  if (now?.lost !== undefined) return new PilotlightError('HOST_LOST', `${when}: ${now.lost}`);
  if (now?.portTaken === true) return new PilotlightError('PORT_CLASH', `${when}: another program took its port`);
  const missing = now?.exitCode === undefined ? undefined : shellFailures[now.exitCode];
  if (missing === undefined) return ended(when, now, attempt);
  attempt.exitCode = now?.exitCode;
  return new PilotlightError('COMMAND_NOT_FOUND', `${when}: ${missing}${exitText(now)}`);
}

/** What shells, inits and engines mean by an exit code before a program has begun. */
const shellFailures: Record<number, string> = {
  126: 'its command is not executable',
  127: 'its command was not found',
};

/** Why a start failed whose replica ended. */
export function ended(when: string, now: Instance | undefined, attempt: StartAttempt): PilotlightError {
  attempt.exitCode = now?.exitCode;
  if (now?.outOfMemory === 'yes') {
    return new PilotlightError('OUT_OF_MEMORY', `${when}: out of memory${exitText(now)}`);
  }
  const perhaps = now?.outOfMemory === 'perhaps' ? ', perhaps for want of memory' : '';
  return new PilotlightError('REPLICA_EXITED', `${when}${exitText(now)}${perhaps}`);
}

/** Whether a start failed for something beside it, which another attempt may not meet. */
export function isDisturbed(thrown: unknown): boolean {
  return isPortClash(thrown) || (thrown instanceof PilotlightError && thrown.code === 'HOST_LOST');
}

export function isPortClash(thrown: unknown): boolean {
  return thrown instanceof PilotlightError && thrown.code === 'PORT_CLASH';
}

/** ` (exit code 137, SIGKILL)` where it is known. */
export function exitText(instance: Instance | undefined): string {
  const code = instance?.exitCode;
  if (code === undefined) return '';
  const signal = signalOf(code);
  return ` (exit code ${code}${signal === undefined ? '' : `, ${signal}`})`;
}
