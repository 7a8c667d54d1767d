import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PilotlightError } from '../model/errors.ts';
import { sleep, systemClock } from './clock.ts';
import { faultWords, fileFault, writeWhole } from './file-errors.ts';
import { processStat, readKernelFile } from './kernel-files.ts';

/** A directory for records that outlive the process, held by this process alone until released. */
interface StateDirectory {
  path: string;
  /** Who this Pilotlight is, over restarts: 8 hexadecimal digits, kept in the directory. */
  instance: string;
  /** Known to nobody else: 64 hexadecimal digits, kept in the directory. */
  secret: string;
  /**
   * Gives the lock to another process, which then opens the directory as if nobody held it. Should that process end, so
   * does its lock. @throws STATE_UNUSABLE
   */
  handTo(pid: number): Promise<void>;
  /** Gives the lock back, if it is still ours; records stay. */
  release(): Promise<void>;
}

/** Who holds a lock. The pid alone proves nothing: a later process may have the same. */
interface Holder {
  pid: number;
  /** The kernel's: boot and ticks since then; null where the system has no /proc. */
  startTime: string | null;
  /** It was given the lock by the one that held it, and has not taken it yet. */
  given?: true | undefined;
}

const ATTEMPTS = 200;
const RETRY_MS = 10;

/**
 * Creates the directory where it is missing (for this user alone) and locks it. The lock of a process that is gone is
 * taken over.
 * @throws STATE_LOCKED, STATE_UNUSABLE
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  try {
    await makeDirectory(path);
    const lock = join(path, 'lock');
    const own = await acquire(lock, path);
    const instance = await keptHex(join(path, 'instance'), 4);
    const secret = await keptHex(join(path, 'secret'), 32);
    return {
      path,
      instance,
      secret,
      handTo: (pid) => replaceLock(lock, pid).catch((error) => Promise.reject(unusable(path, error))),
      release: () => release(lock, own),
    };
  } catch (error) {
    if (error instanceof PilotlightError) throw error;
    throw unusable(path, error);
  }
}

/**
 * Makes a directory, and those above it where they are missing. Node's own way never returns where the system denies a
 * directory that is there, as Linux does below /proc.
 * @param above whether those above may be missing
 */
async function makeDirectory(path: string, above = true): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || !above) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path, false);
  }
}

/** @returns the process that holds the directory; undefined where none does */
export async function holderOf(path: string): Promise<number | undefined> {
  const holder = parseHolder((await readLock(join(path, 'lock'))) ?? '');
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined;
}

function unusable(path: string, error: unknown): PilotlightError {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const why = isFull ? fileFault(error) : faultWords(code);
  const advice = isFull ? 'make room, or set "state" to another' : 'set "state" to one that this user may write';
  const message = `the state directory ${path} cannot be used (${why}): ${advice}`;
  return new PilotlightError('STATE_UNUSABLE', message, error);
}

async function replaceLock(lock: string, pid: number): Promise<void> {
  await writeWhole(lock, holding(pid, true));
}

function holding(pid: number, given?: true): string {
  return JSON.stringify({ pid, startTime: startTimeOf(pid), given } satisfies Holder);
}

/** Takes the lock and returns what stands in it. */
async function acquire(lock: string, path: string): Promise<string> {
  const own = holding(process.pid);
  const draft = `${lock}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, own, { mode: 0o600 });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A link appears whole or not at all: nobody ever reads half a lock.
      if (await tryLink(draft, lock)) return own;
      const found = await readLock(lock);
      const holder = found === undefined ? undefined : parseHolder(found);
      if (holder?.given && found === holding(process.pid, true)) {
        await rename(draft, lock);
        return own;
      }
      if (holder !== undefined && isAlive(holder)) throw locked(path, holder.pid);
      if (found !== undefined) await removeStale(lock, found, draft);
    }
    throw locked(path, undefined);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Removes the lock if it still is the stale one. A second lock makes the look and the removal one step, so that no
 * process removes what another just took. Whoever dies in between leaves that second lock, which is then removed
 * without such care: two rare things would have to meet within a millisecond.
 */
async function removeStale(lock: string, found: string, draft: string): Promise<void> {
  const takeover = `${lock}.takeover`;
  if (await tryLink(draft, takeover)) {
    if ((await readLock(lock)) === found) await rm(lock, { force: true });
    await rm(takeover, { force: true });
    return;
  }
  const holder = parseHolder((await readLock(takeover)) ?? '');
  if (holder !== undefined && !isAlive(holder)) await rm(takeover, { force: true });
  else await sleep(systemClock, RETRY_MS, new AbortController().signal);
}

function readLock(lock: string): Promise<string | undefined> {
  return readFile(lock, 'utf8').catch(() => undefined);
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function release(lock: string, own: string): Promise<void> {
  if ((await readLock(lock)) === own) await rm(lock, { force: true });
}

function locked(path: string, pid: number | undefined): PilotlightError {
  const who = pid === undefined ? 'another Pilotlight' : `another Pilotlight (process ${pid})`;
  return new PilotlightError('STATE_LOCKED', `the state directory ${path} is in use by ${who}`);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, startTime, given } = JSON.parse(text);
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, startTime, given } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, startTime }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not permitted: it is there, as another user's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = startTimeOf(pid);
  return now !== 'dead' && (now === null || startTime === null || now === startTime);
}

/** When a process started, comparable over reboots; `dead` where it has ended, null where the system does not tell. */
function startTimeOf(pid: number): string | null {
  const stat = processStat(pid);
  const boot = readKernelFile('/proc/sys/kernel/random/boot_id');
  if (stat === undefined || boot === undefined) return null;
  return stat.isDead ? 'dead' : `${boot.trim()}/${stat.start}`;
}

/** What was made up once and is kept in a file, for this user alone: so many random bytes in hexadecimal. */
async function keptHex(file: string, bytes: number): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept.length === bytes * 2 && /^[0-9a-f]+$/.test(kept)) return kept;
  const fresh = randomBytes(bytes).toString('hex');
  await writeWhole(file, `${fresh}\n`);
  return fresh;
}
