import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';
import type { HostPort } from '../model/settings.ts';

/** The kernel lists sockets that listen before all others: of a table longer than this, only they are read, bytes. */
const WHOLE_BYTES = 64 * 1024;
const LISTENING = '0A';

/** A socket that listens. */
export interface ListeningSocket {
  inode: string;
  /** Whose it is. */
  uid: number;
}

/**
 * The sockets that take connections to a loopback address of this machine: several where they share the port, none where
 * nobody listens. Undefined where the system does not tell, or the address is another one.
 */
export function socketsAt({ host, port }: HostPort): ListeningSocket[] | undefined {
  if (process.platform !== 'linux') return undefined;
  const isOld = isIPv4(host) && host.startsWith('127.');
  if (!isOld && host !== '::1') return undefined;
  const [old, six] = [isOld ? readTable('/proc/net/tcp') : '', readTable('/proc/net/tcp6')];
  if (old === undefined || (six === undefined && !isOld)) return undefined;
  const table = parse(old + (six ?? ''), port);
  // The most specific one takes the connection.
  const wanted = isOld ? [ipv4(host), mapped(ipv4(host)), ipv4('0.0.0.0'), ANY] : [LOOPBACK, ANY];
  for (const address of wanted) {
    const found = table.filter((each) => each.address === address);
    if (found.length > 0) return found;
  }
  return [];
}

/** The sockets that a process has open, by their inodes; undefined where that may not be seen. */
export function socketsOf(pid: number): Set<string> | undefined {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch (cause) {
    // One that has ended has nothing open.
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' ? new Set() : undefined;
  }
  return new Set(names.flatMap((name) => inodeOf(`/proc/${pid}/fd/${name}`) ?? []));
}

/** The processes that there are. */
export function processes(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? Number(name) : []));
}

function inodeOf(descriptor: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(descriptor))?.[1];
  } catch {
    return undefined;
  }
}

/** Addresses as the kernel writes them: words of 32 bits, each in the order of the machine. */
const isLittle = endianness() === 'LE';
const ANY = '0'.repeat(32);
const LOOPBACK = isLittle ? `${'0'.repeat(24)}01000000` : `${'0'.repeat(31)}1`;

function ipv4(host: string): string {
  const bytes = host.split('.').map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0'));
  return (isLittle ? bytes.reverse() : bytes).join('');
}

function mapped(address: string): string {
  return `${'0'.repeat(16)}${isLittle ? 'FFFF0000' : '0000FFFF'}${address}`;
}

function parse(table: string, port: number): (ListeningSocket & { address: string })[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    if (!line.includes(suffix)) return [];
    const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
    if (state !== LISTENING || !local.endsWith(suffix)) return [];
    return { address: local.slice(0, -suffix.length), inode, uid: Number(uid) };
  });
}

/** At least the part of a table that lists sockets which listen: one with many connections takes long to read. */
function readTable(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const chunk = Buffer.alloc(WHOLE_BYTES);
    let text = '';
    for (;;) {
      const size = readSync(file, chunk);
      text += chunk.toString('latin1', 0, size);
      if (size === 0 || (text.length > WHOLE_BYTES && !endsListening(text))) return text;
    }
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** Whether the last whole line is about a socket that listens. */
function endsListening(text: string): boolean {
  const end = text.lastIndexOf('\n');
  const line = text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
  return line.trim().split(/\s+/)[3] === LISTENING;
}
