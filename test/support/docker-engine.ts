import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, run } from './command.ts';
import { aptInstall } from './debian.ts';
import { engineAnswers } from './docker-api.ts';
import { freeNetworks, hardwareAddress } from './free-networks.ts';
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
/** What an engine needs, and the Debian packages that have it. */
export const ENGINE_PROGRAMS = { dockerd: 'docker.io', containerd: 'containerd', runc: 'runc', ip: 'iproute2' };

/** What dockerd and containerd make outside the folders they are given. */
export const ENGINE_STRAYS = [
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
  const missing = Object.entries(ENGINE_PROGRAMS).filter(([program]) => findProgram(program) === undefined);
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
  await noteStrays(folder, { paths: ENGINE_STRAYS, addresses: [bridgeNet, poolNet] });
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

/** The socket that DOCKER_HOST names, if it names one. */
function hostSocket(): string | undefined {
  const host = process.env['DOCKER_HOST'];
  if (host === undefined || host === '') return undefined;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  say(`not using DOCKER_HOST=${host}: the tests need an engine on this machine, at a unix:// socket`);
  return undefined;
}
