import type { Logger } from '../model/observe.ts';
import type { Settings } from '../model/settings.ts';
import { readKernelFile } from './kernel-files.ts';

/**
 * File descriptors that are no connection of a client and none to a service: the runtime's own, listening sockets, the
 * admin API, Docker and Consul, files, what starting a process takes for a moment.
 */
const KEPT_BACK = 64;
/** This part of the rest is for connections that are being told that there are too many, but so many at most. */
const OVER_LIMIT_PART = 8;
const OVER_LIMIT_MOST = 256;
/**
 * As many as for clients are left for services, but so many at most: clients that are idle or held need none there, and
 * those in flight take turns.
 */
const SERVICES_MOST = 4096;

/** What it means that a descriptor cannot be had, by the system's code. */
export const NO_DESCRIPTOR: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no file descriptor left',
  ENFILE: 'the system has no file descriptor left',
};

/** What the file descriptors of a process are for. */
interface DescriptorShares {
  /** Connections of clients. */
  clients: number;
  /** Connections that are told at once that there are too many. */
  overLimit: number;
}

/** Divides so many descriptors. */
export function shareDescriptors(limit: number): DescriptorShares {
  const rest = Math.max(4, limit - KEPT_BACK);
  const overLimit = Math.min(OVER_LIMIT_MOST, Math.floor(rest / OVER_LIMIT_PART));
  const connections = rest - overLimit;
  return { clients: Math.max(Math.floor(connections / 2), connections - SERVICES_MOST), overLimit };
}

/**
 * What to say where the limit is too low for what is configured; undefined where it is not.
 * @param connections of clients that are configured to be open at once, in all
 * @param processes that they are shared out to, each with a limit of its own
 */
export function descriptorWarning(limit: number, connections: number, processes: number): string | undefined {
  const each = Math.ceil(connections / processes);
  const { clients } = shareDescriptors(limit);
  if (clients >= each) return undefined;
  const needed = KEPT_BACK + OVER_LIMIT_MOST + each + Math.min(each, SERVICES_MOST);
  const per = processes > 1 ? ' for each process' : '';
  return (
    `${limit} open files are allowed${per}, which is enough for ${clients * processes} connections of clients at once, ` +
    `not for ${connections} as limits.connections: allow ${needed} (systemd: LimitNOFILE=${needed}, ` +
    `docker run: --ulimit nofile=${needed}, a shell: ulimit -n ${needed}), or lower limits.connections`
  );
}

/** Says where more connections are configured than the system lets this process, or its workers, open. */
export function warnOfDescriptors({ listen, workers }: Settings, logger: Logger): void {
  const limit = descriptorLimit();
  const connections = listen.reduce((sum, { limits }) => sum + limits.connections, 0);
  const warning = limit === undefined ? undefined : descriptorWarning(limit, connections, workers);
  if (warning !== undefined) logger.warn({ limit, connections }, warning);
}

/**
 * Most file descriptors that this process may have open; undefined where the system does not tell or there is no limit.
 * Node has raised it from the soft to the hard limit when it started (getrlimit(2)).
 */
export function descriptorLimit(): number | undefined {
  const limit = /^Max open files +(\d+)/m.exec(readKernelFile('/proc/self/limits') ?? '')?.[1];
  return limit === undefined ? undefined : Number(limit);
}
