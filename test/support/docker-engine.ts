import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, run } from './command.ts';
import { aptInstall } from './debian.ts';
import { engineAnswers } from './docker-api.ts';
import { KeptDaemon } from './kept-daemon.ts';
import { makeFolder, noteStrays, removeRemains } from './remains.ts';
import { say } from './say.ts';

/** An engine for the tests; `stop` ends it if the tests started it. */
export interface DockerEngine {
  socket: string;
  /** Whether it was there before the tests: then others may use it too. */
  foreign: boolean;
  stop(): Promise<void>;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
const PROGRAMS = { dockerd: 'docker.io', containerd: 'containerd', runc: 'runc', ip: 'iproute2' };

/** What dockerd and containerd make outside the folders they are given. */
const STRAYS = [
  '/etc/docker/key.json',
  '/etc/docker/',
  '/run/docker/plugins/',
  '/run/docker/',
  '/run/containerd/s/',
  '/run/containerd/',
];

/** Uses the engine that answers at DOCKER_HOST or at the usual socket, else starts one of its own. */
export async function findOrStartDocker(): Promise<DockerEngine> {
  for (const socket of [hostSocket(), DEFAULT_SOCKET]) {
    if (socket !== undefined && (await engineAnswers(socket))) {
      say(`using the Docker engine at ${socket}`);
      return { socket, foreign: true, stop: async () => undefined };
    }
  }
  return startDocker();
}

/**
 * Starts an engine with folders, a socket and a bridge of its own, installing Debian's packages if they are missing.
 * Without iptables: published ports are served by Docker's proxy and containers reached over the bridge, all that
 * the tests need, and the machine's firewall and routing stay as they are.
 */
export async function startDocker(): Promise<DockerEngine> {
  const missing = Object.entries(PROGRAMS).filter(([program]) => findProgram(program) === undefined);
  if (missing.length > 0) await aptInstall(missing.map(([, name]) => name));
  if (process.getuid?.() !== 0) throw new Error('no Docker engine answers, and starting one needs root');

  const folder = await makeFolder('docker');
  say(`starting dockerd with its data in ${folder}`);
  const daemon = await launch(folder).catch(async (error) => {
    await removeRemains(folder);
    throw error;
  });
  const socket = join(folder, 'docker.sock');
  await daemon.ready('dockerd', () => engineAnswers(socket), 180_000);
  const stop = async (): Promise<void> => {
    say(`stopping dockerd and removing ${folder}`);
    await daemon.stop();
  };
  return { socket, foreign: false, stop };
}

async function launch(folder: string): Promise<KeptDaemon> {
  const [bridgeNet, poolNet] = await freeNetworks();
  await noteStrays(folder, { paths: STRAYS, addresses: [bridgeNet, poolNet] });
  // The kernel takes 15 characters at most.
  const bridge = `plt-${folder.slice(-6)}`;
  await run('ip', ['link', 'add', 'name', bridge, 'address', hardwareAddress(bridgeNet), 'type', 'bridge']);
  await run('ip', ['address', 'add', `${bridgeNet}1/24`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);

  // An empty configuration file keeps the machine's own /etc/docker/daemon.json out.
  const config = join(folder, 'daemon.json');
  await writeFile(config, '{}');
  const options = {
    'config-file': config,
    host: `unix://${join(folder, 'docker.sock')}`,
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'dockerd.pid'),
    'containerd-namespace': bridge,
    'containerd-plugins-namespace': `${bridge}-plugins`,
    bridge,
    'default-address-pool': `base=${poolNet}0/24,size=28`,
    iptables: 'false',
    'ip-forward': 'false',
    'ip-masq': 'false',
    'log-level': 'warn',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const program = findProgram('dockerd') ?? 'dockerd';
  return new KeptDaemon({ program, args, folder, stopSignal: 'SIGTERM', graceMs: 20_000 });
}

/**
 * A bridge that is given none has the lowest address of its ports. When the container of that port ends it changes, and
 * the others write to one that nobody has any more, for half a minute.
 */
function hardwareAddress(net: string): string {
  const bytes = `${net}1`.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}

/** The socket that DOCKER_HOST names, if it names one. */
function hostSocket(): string | undefined {
  const host = process.env['DOCKER_HOST'];
  if (host === undefined || host === '') return undefined;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  say(`not using DOCKER_HOST=${host}: the tests need an engine on this machine, at a unix:// socket`);
  return undefined;
}

/**
 * Two /24 networks that no route of this machine leads to, as the beginnings of their addresses: one for the bridge,
 * one for the networks that tests create.
 */
async function freeNetworks(): Promise<[string, string]> {
  const lines = (await readFile('/proc/net/route', 'utf8')).trim().split('\n').slice(1);
  const routes = lines.map((line) => line.split('\t')).map((fields) => [hexAddress(fields[1]), hexAddress(fields[7])]);
  const taken = routes.filter(([network]) => network !== 0);
  for (let attempt = 0; attempt < 100; attempt++) {
    const [second, third] = [64 + Math.floor(Math.random() * 190), 2 * Math.floor(Math.random() * 127)];
    const pair = (10 << 24) | (second << 16) | (third << 8);
    const overlaps = taken.some(([network = 0, mask = 0]) => ((network ^ pair) & mask & 0xfffffe00) === 0);
    if (!overlaps) return [`10.${second}.${third}.`, `10.${second}.${third + 1}.`];
  }
  throw new Error('every private network that was tried is in use on this machine');
}

/** /proc/net/route writes an address as a hexadecimal number in the machine's own, little-endian order. */
function hexAddress(text = ''): number {
  return Buffer.from(text, 'hex').reverse().readInt32BE();
}
