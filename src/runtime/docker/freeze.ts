import type Docker from 'dockerode';
import { PilotlightError } from '../../model/errors.ts';
import { type DockerEngine, limits } from '../engine.ts';
import { statusOf } from '../engine-errors.ts';
import { stateOf } from './instance.ts';

/** Freezes a container with the engine's `pause`; one that is paused already is left. @throws RUNTIME_FAILED */
export async function pauseContainer(engine: DockerEngine, id: string, signal: AbortSignal): Promise<void> {
  await unlessDone(engine, id, 'paused', signal, (container, abortSignal) => container.pause({ abortSignal }));
}

/** Has a paused container go on; one that runs is left. @throws REPLICA_EXITED, RUNTIME_FAILED */
export async function unpauseContainer(engine: DockerEngine, id: string, signal: AbortSignal): Promise<void> {
  await unlessDone(engine, id, 'running', signal, (container, abortSignal) => container.unpause({ abortSignal }));
}

/** The engine refuses what is done already in other words from version to version: what has become of it tells. */
async function unlessDone(
  engine: DockerEngine,
  id: string,
  wanted: 'paused' | 'running',
  signal: AbortSignal,
  act: (container: Docker.Container, abortSignal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  try {
    await engine.call(limits.act, signal, (docker, abortSignal) => act(docker.getContainer(id), abortSignal));
  } catch (thrown) {
    if (statusOf(thrown) === undefined) throw thrown;
    const info = await engine.inspect(id, signal);
    const state = info === undefined ? 'stopped' : stateOf(info);
    if (state === wanted) return;
    if (state !== 'stopped') throw thrown;
    throw new PilotlightError('REPLICA_EXITED', 'the container runs no more', thrown);
  }
}
