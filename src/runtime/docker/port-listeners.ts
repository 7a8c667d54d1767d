import type Docker from 'dockerode';
import type { Instance, Listener } from '../../model/runtime.ts';
import type { HostPort } from '../../model/settings.ts';
import { processStat, readKernelFile } from '../../util/kernel-files.ts';
import { type ListeningSocket, processes, socketsAt, socketsOf } from '../listening-sockets.ts';

/** Programs that listen for containers where it is not told for which: an engine does until its proxy for one has begun. */
const FORWARDERS = new Set(['dockerd', 'rootlesskit', 'rootlessport', 'slirp4netns', 'pasta', 'com.docker.back']);

/** What is known of one run of a container. */
interface Run {
  startedAt: number;
  /** Its first process, and when the kernel started it; undefined where that cannot be seen from here. */
  first: { pid: number; start: string } | undefined;
  /** The container's own addresses, by which the engine's proxy for it is known. */
  addresses: readonly string[];
  /** The sockets that were seen to be its own, or the engine's for it: their inodes, and whose they are. */
  own: Map<string, number>;
}

/**
 * Knows by this machine's own tables whether a container lives, and whether what listens at its port of the host is still
 * what did when it was started: the container itself on the host's network, or the engine's proxy for it. The engine tells
 * of an end only when it has given the port away, and on a busy machine long after that.
 */
export class PortListeners {
  readonly #runs = new Map<string, Run>();

  /** Takes note of a run when it is first heard of: its port is its own then, or the engine would not have started it. */
  note(info: Docker.ContainerInspectInfo, { state, address, startedAt }: Instance): void {
    const { Id, HostConfig, NetworkSettings, State } = info;
    if (state !== 'running' || address === undefined || this.#runs.get(Id)?.startedAt === startedAt) return;
    const start = isOf(Id, State.Pid) ? processStat(State.Pid)?.start : undefined;
    const first = start === undefined ? undefined : { pid: State.Pid, start };
    const isPublished = HostConfig.NetworkMode !== 'host';
    const found = isPublished ? (socketsAt(address) ?? []) : [];
    const addresses = Object.values(NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress);
    this.#runs.set(Id, { startedAt, first, addresses, own: new Map(found.map(({ inode, uid }) => [inode, uid])) });
  }

  forget(id: string): void {
    this.#runs.delete(id);
  }

  /** Whether its first process has ended, or is about to, whatever the engine says; false where that cannot be told. */
  hasEnded(id: string): boolean {
    const first = this.#runs.get(id)?.first;
    if (first === undefined) return false;
    const stat = processStat(first.pid);
    return stat === undefined || stat.isEnding || stat.start !== first.start;
  }

  /** Undefined where it cannot be told. */
  at(id: string, address: HostPort): Listener | undefined {
    const run = this.#runs.get(id);
    if (run?.first === undefined) return undefined;
    if (this.hasEnded(id)) return { by: 'ended' };
    const sockets = socketsAt(address);
    if (sockets === undefined) return undefined;
    const others = sockets.filter(({ inode }) => !run.own.has(inode));
    if (others.length > 0) return judge(id, run, others);
    if (sockets.length > 0) return { by: 'replica' };
    // Where the engine has the kernel lead connections to the container, nobody ever listens.
    return run.own.size > 0 ? { by: 'nobody' } : undefined;
  }
}

/** Whose sockets are that were not there before. */
function judge(id: string, run: Run, sockets: readonly ListeningSocket[]): Listener | undefined {
  const pid = processes().find((each) => sockets.some(({ inode }) => socketsOf(each)?.has(inode)));
  if (pid === undefined) {
    const users = new Set(run.own.values());
    const isForeign = users.size > 0 && sockets.some(({ uid }) => !users.has(uid));
    return isForeign ? { by: 'stranger', pid: undefined } : undefined;
  }
  const whose = ownerOf(pid, id, run);
  if (whose === 'other') return { by: 'stranger', pid };
  if (whose === 'unknown') return undefined;
  for (const { inode, uid } of sockets) run.own.set(inode, uid);
  return { by: 'replica' };
}

/** Whether a process is one of a container: that is the name of its control group. */
function isOf(id: string, pid: number): boolean {
  return pid > 0 && readKernelFile(`/proc/${pid}/cgroup`)?.includes(id) === true;
}

function ownerOf(pid: number, id: string, { addresses }: Run): 'container' | 'other' | 'unknown' {
  if (isOf(id, pid)) return 'container';
  const program = readKernelFile(`/proc/${pid}/comm`)?.trim() ?? '';
  if (FORWARDERS.has(program)) return 'unknown';
  if (program !== 'docker-proxy') return 'other';
  // One for another container is as foreign as any program. An engine that was restarted begins another one.
  const words = readKernelFile(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  return addresses.includes(words[words.indexOf('-container-ip') + 1] ?? '') ? 'container' : 'other';
}
