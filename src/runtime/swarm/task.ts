import type { Instance } from '../../model/runtime.ts';
import type { HostPort } from '../../model/settings.ts';
import type { Task } from './api.ts';
import type { Host } from './hosts.ts';
import { labels, type Owner } from './service-spec.ts';

/**
 * What a task is to us. `leaving`: it runs, but Swarm has given it up, since its host is drained or lost; what is on a
 * lost host may answer for long.
 */
export type TaskPhase = 'waiting' | 'running' | 'leaving' | 'ended';

const WAITING = ['new', 'allocated', 'pending', 'assigned', 'accepted', 'preparing', 'ready', 'starting'];

export function phaseOf(task: Task): TaskPhase {
  const { Status, DesiredState } = task;
  const isWanted = DesiredState === 'running' || DesiredState === 'ready' || DesiredState === 'accepted';
  if (Status.State === 'running' && isWanted) return 'running';
  if (Status.State === 'running') return isWithoutPorts(task) ? 'ended' : 'leaving';
  // One that was never started and is not wanted any more comes to nothing.
  return WAITING.includes(Status.State) && isWanted ? 'waiting' : 'ended';
}

/** The ports of a container go with it, some time before Swarm says that it ended. */
function isWithoutPorts({ Spec, Status }: Task): boolean {
  const isPublished = Spec.ContainerSpec?.Labels?.[labels.reach] === 'host';
  return isPublished && (Status.PortStatus?.Ports ?? []).length === 0;
}

/** The last one made of those of a service; undefined where there is none. */
export function newest(tasks: readonly Task[]): Task | undefined {
  return tasks.reduce<Task | undefined>(
    (last, task) => (last === undefined || task.CreatedAt > last.CreatedAt ? task : last),
    undefined,
  );
}

/** What a task means to us. @param host what it runs on; undefined where that is not known */
export function instanceOf(task: Task, owner: Owner, host: Host | undefined): Instance {
  const phase = phaseOf(task);
  const isRunning = phase === 'running' || phase === 'leaving';
  const { ExitCode, ContainerID } = task.Status.ContainerStatus ?? {};
  const ran = phase === 'ended' && ContainerID !== undefined && ContainerID !== '';
  return {
    id: task.ID,
    service: owner.service,
    ordinal: owner.ordinal,
    hash: owner.hash,
    state: isRunning ? 'running' : phase === 'ended' ? 'stopped' : 'created',
    address: isRunning ? addressOf(task, owner, host) : undefined,
    // Of the states that follow only the last is told: when it was made does not change.
    startedAt: isRunning || ran ? Date.parse(task.CreatedAt) : 0,
    health: 'none',
    exitCode: ran && task.Status.State !== 'running' ? ExitCode : undefined,
    outOfMemory: ran && isOutOfMemory(task) ? 'perhaps' : undefined,
    endedByHand: phase === 'ended' ? endedByHand(task) : undefined,
    leaving: phase === 'leaving' && task.DesiredState === 'shutdown' ? whyLeaving(host) : undefined,
  };
}

/** Where a task listens; undefined while that is not known. */
export function addressOf(task: Task, { port, reach }: Owner, host: Host | undefined): HostPort | undefined {
  if (reach === 'host') {
    const published = task.Status.PortStatus?.Ports?.find(({ TargetPort }) => TargetPort === port)?.PublishedPort;
    return published === undefined || host === undefined ? undefined : { host: host.address, port: published };
  }
  const [address] = task.NetworksAttachments?.find(({ Addresses = [] }) => Addresses.length > 0)?.Addresses ?? [];
  return address === undefined ? undefined : { host: address.replace(/\/\d+$/, ''), port };
}

/** Killed: Swarm does not tell by whom. */
function isOutOfMemory({ Status }: Task): boolean {
  return Status.ContainerStatus?.ExitCode === 137 && Status.State === 'failed';
}

function endedByHand({ Status }: Task): Instance['endedByHand'] {
  if (Status.State === 'shutdown' || Status.State === 'running') return 'yes';
  return Status.State === 'complete' ? 'perhaps' : undefined;
}

/** What is scaled down or removed is meant to end, by whoever does that. */
function whyLeaving(host: Host | undefined): string | undefined {
  if (host === undefined) return 'its host is not a part of the swarm any more';
  if (host.isDown) return `its host ${host.name} is down`;
  return host.isDrained ? `its host ${host.name} is drained` : undefined;
}
