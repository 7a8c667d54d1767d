import type { Instance } from '../../model/runtime.ts';
import type { HostPort } from '../../model/settings.ts';
import { exitCodeOf } from '../../util/signals.ts';
import type { Task } from './api.ts';
import type { Host } from './host.ts';
import type { GivenUp } from './presence.ts';
import { labels, type Owner } from './service-spec.ts';

/**
 * What a task is to us. `leaving`: it runs, but Swarm has given it up, since its host is drained or lost; what is on a
 * lost host may answer for long.
 */
export type TaskPhase = 'waiting' | 'running' | 'leaving' | 'ended';

/** Between an engine's joining and its telling of what ended meanwhile, at most, by the clocks of two hosts, ms. */
const JOINING_MS = 1000;

/** Exit codes of what an engine has ended: in order, by SIGKILL, and of what it did not see end. */
const ENGINE_CODES: ReadonlySet<number> = new Set([0, 137, 255]);

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
    leaving: phase === 'leaving' ? whyLeaving(task, host) : undefined,
    lost: phase === 'ended' ? whyLost(task, host) : undefined,
  };
}

/** What is known of one that does not listen any more, and of which Swarm does not tell that it ended. */
export function givenUpInstance(instance: Instance, { why, isOwnDoing }: GivenUp): Instance {
  const end = isOwnDoing ? { deaf: why } : { lost: why };
  return { ...instance, state: 'stopped', address: undefined, leaving: undefined, ...end };
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

/** Why one that runs is given up by Swarm; undefined where it is not, or is meant to end, by whoever scales it down. */
export function whyLeaving({ DesiredState }: Task, host: Host | undefined): string | undefined {
  return DesiredState === 'shutdown' ? trouble(host) : undefined;
}

/** Why one that ended went with its host; undefined where it did not. */
export function whyLost(task: Task, host: Host | undefined): string | undefined {
  const { NodeID = '', DesiredState, Status } = task;
  if (NodeID === '' || DesiredState === 'remove') return undefined;
  // What ended by itself did so before its host was drained.
  if (Status.State !== 'failed' && Status.State !== 'complete') return trouble(host);
  return host !== undefined && endedByEngine(task, host)
    ? `the engine of its host ${host.name} was started again`
    : undefined;
}

/**
 * An engine that is started again ends what it finds, and tells so when it joins. What ended then by a code of its own has
 * crashed: that a host changes (a label, a drain) is no reason.
 */
function endedByEngine({ Spec, Status }: Task, host: Host): boolean {
  const isUnknown = Status.State === 'failed' && /no such container/i.test(Status.Err ?? '');
  if (isUnknown) return true;
  const isThen = Math.abs(Date.parse(Status.Timestamp) - host.changedAt) < JOINING_MS;
  const { ExitCode = 0 } = Status.ContainerStatus ?? {};
  const byStop = exitCodeOf(Spec.ContainerSpec?.StopSignal ?? 'SIGTERM');
  return isThen && (ENGINE_CODES.has(ExitCode) || ExitCode === byStop);
}

function trouble(host: Host | undefined): string | undefined {
  if (host === undefined) return 'its host is not a part of the swarm any more';
  if (host.isDown) return `its host ${host.name} is down`;
  return host.isDrained ? `its host ${host.name} is drained` : undefined;
}
