import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './command.ts';
import { dockerApi, engineAnswers, removeContainers } from './docker-api.ts';
import { say } from './say.ts';

const PREFIX = 'pilotlight-test-';
const DAEMONS = [
  'consul',
  'containerd',
  'containerd-shim-runc-v2',
  'docker-proxy',
  'docker-registry',
  'dockerd',
  'runc',
];

/** Written into the folder by whoever keeps the daemon, so that a later run sees whether the folder is in use. */
export const KEEPER_PID = 'keeper.pid';

/** What a daemon makes outside its folder. */
const STRAYS = 'strays.json';

interface Strays {
  /** Paths that did not exist before it and shall not exist after it; a trailing slash marks a folder. */
  paths: string[];
  /** The beginnings of the addresses that its network bridges have. */
  addresses: string[];
  /** Network namespaces, by name. */
  namespaces?: string[];
}

/** Makes the folder in which a daemon keeps everything; its name says what it is for and who made it. */
export async function makeFolder(purpose: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `${PREFIX}${purpose}-${process.pid}-`));
}

/** Notes, before a daemon starts, what to remove with its folder; paths that exist already are left alone. */
export async function noteStrays(folder: string, strays: Strays): Promise<void> {
  const paths = strays.paths.filter((path) => !existsSync(path));
  await writeFile(join(folder, STRAYS), JSON.stringify({ ...strays, paths }));
}

/** Removes every container and network, so that the engine has nothing to wait for when it stops. */
export async function emptyEngine(folder: string): Promise<void> {
  const socket = join(folder, 'docker.sock');
  if (!existsSync(socket) || !(await engineAnswers(socket))) return;
  const docker = dockerApi(socket);
  await removeContainers(docker);
  await docker('POST', '/networks/prune');
}

/** Removes all that a daemon left: processes, each by its id, then mounts, bridges and files. */
export async function removeRemains(folder: string): Promise<void> {
  for (const pid of processesOf(folder)) kill(pid);
  for (const mount of mountsBelow(folder)) await run('umount', ['-l', mount]);
  const strays = await readFile(join(folder, STRAYS), 'utf8').catch(() => undefined);
  if (strays !== undefined) await removeStrays(JSON.parse(strays));
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Clears away what earlier runs left when even their keepers were killed. */
export async function sweepRemains(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const name of names) {
    const folder = join(tmpdir(), name);
    const owner = Number(name.split('-').at(-2));
    const keeper = Number(await readFile(join(folder, KEEPER_PID), 'utf8').catch(() => Number.NaN));
    if (isAlive(owner) || isAlive(keeper)) continue;
    say(`removing what a broken-off run left in ${folder}`);
    await emptyEngine(folder);
    await removeRemains(folder);
  }
}

export function isAlive(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && existsSync(`/proc/${pid}`);
}

async function removeStrays({ paths, addresses, namespaces = [] }: Strays): Promise<void> {
  for (const namespace of namespaces) await run('ip', ['netns', 'delete', namespace]).catch(() => undefined);
  if (addresses.length > 0) await removeBridges(addresses);
  for (const path of paths) {
    // A folder goes only if it is empty: another engine may have come to use it meanwhile.
    const remove = path.endsWith('/') ? rmdir : rm;
    await remove(path).catch(() => undefined);
  }
}

async function removeBridges(addresses: readonly string[]): Promise<void> {
  const devices = (await run('ip', ['-o', '-4', 'address'])).split('\n').map((line) => line.split(/\s+/));
  const bridges = devices.filter(([, , , address = '']) => addresses.some((start) => address.startsWith(start)));
  for (const [, bridge = ''] of bridges) await run('ip', ['link', 'delete', bridge]);
}

/** The daemons whose command line names the folder, and the containers they run, which it does not name. */
export function processesOf(folder: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const daemons = new Set(
    pids.filter((pid) => {
      const [program, ...args] = readProc(pid, 'cmdline').split('\0');
      return DAEMONS.includes(basename(program ?? '')) && args.some((arg) => arg.includes(folder));
    }),
  );
  const parentOf = (pid: number): number => Number(/^PPid:\s*(\d+)/m.exec(readProc(pid, 'status'))?.[1]);
  return [...daemons, ...pids.filter((pid) => daemons.has(parentOf(pid)))];
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

/** Mount points below a folder, the innermost first. */
function mountsBelow(folder: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const points = mounts.map((line) => line.split(' ')[1] ?? '').filter((point) => point.startsWith(`${folder}/`));
  return points.reverse();
}
