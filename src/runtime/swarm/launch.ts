import { PilotlightError } from '../../model/errors.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { SwarmApi, Task } from './api.ts';
import { noNodeFits, startFailure } from './errors.ts';
import type { Hosts } from './hosts.ts';
import { numberOf, type StartedService } from './replica-services.ts';
import type { Owner } from './service-spec.ts';
import { addressOf, newest, phaseOf, whyLost } from './task.ts';

/** Between two looks at a task: a tenth of the time so far, within these bounds, ms. */
const LOOK_MS = { least: 40, most: 500 };
/** How long Swarm may find no host for a task: one that is drained or lost just now may have been about to take it, ms. */
const NO_HOST_MS = 2000;
/** A task that runs has its address within this, ms. */
const ADDRESS_MS = 3000;

interface LaunchOptions {
  api: SwarmApi;
  hosts: Hosts;
  clock: Clock;
}

/**
 * Waits until the task of a service runs and has an address.
 * @param meant the service, and the number that its task has
 * @throws IMAGE_MISSING, MOUNT_MISSING, COMMAND_NOT_FOUND, PORT_CLASH, NO_NODE_FITS, HOST_LOST, REPLICA_EXITED, OUT_OF_MEMORY,
 * RUNTIME_UNREACHABLE, RUNTIME_FAILED
 */
export async function untilRunning(
  { api, hosts, clock }: LaunchOptions,
  meant: StartedService,
  owner: Owner,
  signal: AbortSignal,
): Promise<Task> {
  const began = clock.now();
  let runningSince: number | undefined;
  for (;;) {
    const tasks = await api.tasks({ service: [meant.id] }, signal);
    const task = newest(tasks.filter((each) => numberOf(each) === meant.force));
    const phase = task === undefined ? 'waiting' : phaseOf(task);
    if (task !== undefined && phase === 'ended') throw await failure(task, hosts);
    if (task !== undefined && (phase === 'running' || phase === 'leaving')) {
      if (addressOf(task, owner, await hosts.of(task)) !== undefined) return task;
      runningSince ??= clock.now();
      if (clock.now() - runningSince > ADDRESS_MS) {
        throw new PilotlightError('RUNTIME_FAILED', 'its task runs, but Swarm tells no address of it');
      }
    }
    const { State, Err = '' } = task?.Status ?? { State: 'new' };
    if (State === 'pending' && Err !== '' && clock.now() - began > NO_HOST_MS) throw noNodeFits(Err);
    const pause = Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, (clock.now() - began) / 10));
    await sleep(clock, pause, signal);
  }
}

async function failure(task: Task, hosts: Hosts): Promise<PilotlightError> {
  const { State, Err, Message = '', ContainerStatus } = task.Status;
  const host = await hosts.of(task);
  const why = whyLost(task, host);
  if (why !== undefined) return new PilotlightError('HOST_LOST', `it did not come to run: ${why}`);
  const ran = ContainerStatus?.ContainerID !== undefined && ContainerStatus.ContainerID !== '';
  return startFailure({
    state: State,
    text: Err ?? Message,
    exitCode: ran ? ContainerStatus.ExitCode : undefined,
    host: host?.name,
  });
}
