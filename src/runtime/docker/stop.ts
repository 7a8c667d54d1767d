import type Docker from 'dockerode';
import type { StopSettings } from '../../model/settings.ts';
import { type DockerEngine, limits } from '../engine.ts';
import { statusOf } from '../engine-errors.ts';
import { wholeSeconds } from './container.ts';

/** Stops a container that runs; resolves when it does not any more. @throws RUNTIME_UNREACHABLE, RUNTIME_FAILED */
export async function stopContainer(
  engine: DockerEngine,
  info: Docker.ContainerInspectInfo,
  { signal: name, graceMs }: StopSettings,
  signal: AbortSignal,
): Promise<void> {
  const honoured = bareName(name) === bareName(stopSignalOf(info));
  if (!honoured) await signalAndWait(engine, info, name, graceMs, signal);
  // The signal that a stop call sends is the container's own: engines before API 1.42 take no other.
  const t = honoured ? wholeSeconds(graceMs) : 0;
  try {
    await engine.call(t * 1000 + limits.ask, signal, (docker, abortSignal) =>
      docker.getContainer(info.Id).stop({ t, abortSignal }),
    );
  } catch (thrown) {
    const status = statusOf(thrown);
    if (status !== 304 && status !== 404) throw thrown;
  }
}

/**
 * Sends another signal than the container's own and gives it its time. A stop call has to follow in any case: only from
 * that does the engine know that the end was wanted, and restarts nothing.
 */
async function signalAndWait(
  engine: DockerEngine,
  { Id, State }: Docker.ContainerInspectInfo,
  name: string,
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const act = (limitMs: number, task: (container: Docker.Container, abortSignal: AbortSignal) => Promise<unknown>) =>
    engine.call(limitMs, signal, (docker, abortSignal) => task(docker.getContainer(Id), abortSignal));
  try {
    if (State.Paused) await act(limits.ask, (container, abortSignal) => container.unpause({ abortSignal }));
    await act(limits.ask, (container, abortSignal) => container.kill({ signal: name, abortSignal }));
    await act(graceMs, (container, abortSignal) => container.wait({ condition: 'not-running', abortSignal }));
  } catch {
    // Not in time, or it ended in between: the stop call deals with both.
    signal.throwIfAborted();
  }
}

function stopSignalOf({ Config }: Docker.ContainerInspectInfo): string {
  return (Config as { StopSignal?: string }).StopSignal || 'SIGTERM';
}

/** `SIGTERM` and `TERM` are the same. */
function bareName(name: string): string {
  return name.toUpperCase().replace(/^SIG/, '');
}
