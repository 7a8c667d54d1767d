import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificate } from './certificates.ts';
import { findProgram, run, searchPath } from './command.ts';
import { aptInstall } from './debian.ts';
import { type DockerCall, dockerApi, engineAnswers, expectStatus } from './docker-api.ts';
import { ENGINE_PROGRAMS, ENGINE_STRAYS } from './docker-engine.ts';
import { freeNetworks, hardwareAddress } from './free-networks.ts';
import { KeptDaemon } from './kept-daemon.ts';
import { isAlive, kill, makeFolder, noteStrays, processesOf } from './remains.ts';
import { say } from './say.ts';
import { until } from './until.ts';

/** A host of the fleet: a Docker engine in a network namespace of its own. */
export interface SwarmHost {
  /** As Swarm lists it. */
  name: string;
  /** The same on this machine, through a bridge. */
  address: string;
  socket: string;
  docker: DockerCall;
  /** Runs a program of this machine in the host's network. */
  inside(program: string, args: readonly string[]): Promise<string>;
  /** Kills the engine alone: its containers run on, and answer. */
  killEngine(): Promise<void>;
  /** Starts it again, with the data it had. */
  startEngine(): Promise<void>;
  /** Kills the engine and all that runs on the host. */
  kill(): Promise<void>;
  /** Runs a registry of images there, plain HTTP. @returns its address */
  startRegistry(): Promise<string>;
  /** Has the engine push an image whose name says where to. */
  push(image: string): Promise<void>;
}

/** A swarm of real engines on this machine. */
export interface SwarmFleet {
  /** The first of the hosts. */
  manager: SwarmHost;
  /** Where the manager listens for who has a certificate, and paths of what to use there. */
  secure: { address: string; tls: { ca: string; cert: string; key: string } };
  /** The others, which are workers. */
  workers: SwarmHost[];
  hosts: SwarmHost[];
  /** What ends with the fleet, however the tests end, lies here. */
  folder: string;
  stop(): Promise<void>;
}

interface FleetOptions {
  /** 1: the manager is the only host, and runs the replicas too. */
  hosts: number;
  /** Registries that speak plain HTTP, as `10.0.0.0/8`. */
  insecureRegistry?: string;
  /** Hosts use the images that they have, and ask no registry: one that cannot be reached costs them half a minute. */
  offlineImages?: boolean;
}

interface NodeSummary {
  ID: string;
  Description: { Hostname: string };
  Status: { State: string };
}

const ENGINE_MS = 120_000;
/** An engine tells that it is there so often, and is lost after three times that; five seconds unless said, ns. */
const HEARTBEAT_NS = 2e9;
const REGISTRY_PORT = 5000;
/** Another one than 2376, which alone the client library takes for TLS. */
const SECURE_PORT = 2476;

/**
 * Starts a swarm: engines in namespaces that are joined by a bridge, the first of them the manager. Everything is taken
 * down by `stop`, and by a keeper where the tests end without it.
 */
export async function startSwarm(options: FleetOptions): Promise<SwarmFleet> {
  const missing = Object.entries(ENGINE_PROGRAMS).filter(([program]) => findProgram(program) === undefined);
  if (missing.length > 0) await aptInstall(missing.map(([, name]) => name));
  if (process.getuid?.() !== 0) throw new Error('a swarm of engines in namespaces needs root');
  const { hosts: count } = options;
  const folder = await makeFolder('swarm');
  const mark = folder.slice(-6);
  const namespaces = Array.from({ length: count }, (_, index) => `plt-${mark}-${index + 1}`);
  const [net] = await freeNetworks();
  await noteStrays(folder, { paths: ENGINE_STRAYS, addresses: [net], namespaces });
  say(`starting ${count} engines of a swarm with their data in ${folder}`);
  // It does nothing but end with this process, and then clears away all that was started in the folder.
  const keeper = new KeptDaemon({
    program: findProgram('sleep') ?? 'sleep',
    args: ['infinity'],
    folder,
    stopSignal: 'SIGKILL',
    graceMs: 1000,
  });
  try {
    const bridge = `plt-${mark}`;
    await run('ip', ['link', 'add', 'name', bridge, 'address', hardwareAddress(net), 'type', 'bridge']);
    await run('ip', ['address', 'add', `${net}1/24`, 'dev', bridge]);
    await run('ip', ['link', 'set', bridge, 'up']);
    const tls = await makeCertificates(folder, `${net}10`);
    const hosts = await Promise.all(
      namespaces.map(async (namespace, index) => {
        const address = `${net}${index + 10}`;
        await makeNamespace(namespace, bridge, address, `${net}1`);
        const secured = index === 0 ? securedBy(address, tls) : [];
        const host = new Host(namespace, address, join(folder, `host-${index + 1}`), options, secured);
        await host.startEngine();
        return host;
      }),
    );
    await joinHosts(hosts);
    const [manager, ...workers] = hosts as [Host, ...Host[]];
    const secure = { address: `tcp://${manager.address}:${SECURE_PORT}`, tls };
    return { manager, secure, workers, hosts, folder, stop: () => keeper.stop() };
  } catch (error) {
    await keeper.stop();
    throw error;
  }
}

/** One certificate for the manager and who asks it, and who has signed it. */
async function makeCertificates(folder: string, address: string): Promise<SwarmFleet['secure']['tls']> {
  const authority = makeCertificate({ names: ['fleet.test'], isAuthority: true });
  const { cert, key } = makeCertificate({ names: [`IP:${address}`], by: authority });
  const paths = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await Promise.all([writeFile(paths.ca, authority.cert), writeFile(paths.cert, cert), writeFile(paths.key, key)]);
  return paths;
}

function securedBy(address: string, { ca, cert, key }: SwarmFleet['secure']['tls']): string[] {
  const listen = `--host=tcp://${address}:${SECURE_PORT}`;
  return [listen, '--tlsverify', `--tlscacert=${ca}`, `--tlscert=${cert}`, `--tlskey=${key}`];
}

async function makeNamespace(name: string, bridge: string, address: string, gateway: string): Promise<void> {
  const inside = ['netns', 'exec', name, 'ip'];
  await run('ip', ['netns', 'add', name]);
  await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
  await run('ip', ['link', 'set', name, 'master', bridge, 'up']);
  await run('ip', [...inside, 'address', 'add', `${address}/24`, 'dev', 'eth0']);
  for (const device of ['lo', 'eth0']) await run('ip', [...inside, 'link', 'set', device, 'up']);
  await run('ip', [...inside, 'route', 'add', 'default', 'via', gateway]);
}

/** The first makes the swarm, the others join it. */
async function joinHosts([manager, ...workers]: readonly Host[]): Promise<void> {
  if (manager === undefined) return;
  const Spec = { Dispatcher: { HeartbeatPeriod: HEARTBEAT_NS } };
  const listen = { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: manager.address, Spec };
  expectStatus(await manager.docker('POST', '/swarm/init', listen), 200);
  const swarm = await manager.docker<{ JoinTokens: { Worker: string } }>('GET', '/swarm');
  const token = expectStatus(swarm, 200).json.JoinTokens.Worker;
  await Promise.all(
    workers.map(async ({ docker, address }) => {
      const body = {
        ListenAddr: '0.0.0.0:2377',
        AdvertiseAddr: address,
        RemoteAddrs: [`${manager.address}:2377`],
        JoinToken: token,
      };
      expectStatus(await docker('POST', '/swarm/join', body), 200);
    }),
  );
  const areReady = async () => {
    const { json } = await manager.docker<NodeSummary[]>('GET', '/nodes');
    return json.length === workers.length + 1 && json.every(({ Status }) => Status.State === 'ready');
  };
  await until('all hosts are ready', areReady, 60_000);
}

class Host implements SwarmHost {
  readonly name: string;
  readonly address: string;
  readonly socket: string;
  readonly docker: DockerCall;
  readonly #folder: string;
  readonly #options: FleetOptions;
  /** What its engine is started with besides. */
  readonly #more: readonly string[];

  constructor(name: string, address: string, folder: string, options: FleetOptions, more: readonly string[]) {
    this.name = name;
    this.address = address;
    this.#folder = folder;
    this.socket = join(folder, 'docker.sock');
    this.docker = dockerApi(this.socket);
    this.#options = options;
    this.#more = more;
  }

  inside(program: string, args: readonly string[]): Promise<string> {
    return run('nsenter', [...this.#namespaces, program, ...args]);
  }

  async startEngine(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const { insecureRegistry, offlineImages = false } = this.#options;
    const log = openSync(join(this.#folder, 'log'), 'a');
    const config = join(this.#folder, 'daemon.json');
    await writeFile(config, '{}');
    const options = {
      'config-file': config,
      host: `unix://${this.socket}`,
      'data-root': join(this.#folder, 'data'),
      'exec-root': join(this.#folder, 'exec'),
      pidfile: this.#pidFile,
      'containerd-namespace': this.name,
      'containerd-plugins-namespace': `${this.name}-plugins`,
      // With its proxy program instead, a published port would end with its engine.
      iptables: 'true',
      'ip-forward': 'true',
      'ip-masq': 'false',
      'log-level': 'warn',
      ...(insecureRegistry !== undefined && { 'insecure-registry': insecureRegistry }),
    };
    const args = [...Object.entries(options).map(([name, value]) => `--${name}=${value}`), ...this.#more];
    const program = findProgram('dockerd') ?? 'dockerd';
    const env = { ...process.env, PATH: searchPath(), DOCKER_SERVICE_PREFER_OFFLINE_IMAGE: offlineImages ? '1' : '' };
    // A name of its own, by which Swarm lists it.
    const named = ['unshare', '--uts', 'sh', '-c', 'hostname "$0" && exec "$@"', this.name, program, ...args];
    const daemon = spawn('nsenter', [...this.#namespaces, ...named], {
      detached: true,
      env,
      stdio: ['ignore', log, log],
    });
    daemon.unref();
    await until(`the engine of ${this.name} answers`, () => engineAnswers(this.socket), ENGINE_MS);
  }

  async killEngine(): Promise<void> {
    const containerd = join(this.#folder, 'exec/containerd/containerd.pid');
    // The next engine would take the containerd that goes with this one for one that it can use.
    const pids = [this.#pidFile, containerd].map((file) => Number(readFileSync(file, 'utf8')));
    for (const pid of pids) kill(pid);
    await until(`the engine of ${this.name} is gone`, () => !pids.some(isAlive), 30_000);
    await rm(containerd);
  }

  async kill(): Promise<void> {
    const processes = processesOf(`${this.#folder}/`);
    for (const pid of processes) kill(pid);
    await until(`what ran on ${this.name} is gone`, () => !processes.some(isAlive), 10_000);
  }

  async startRegistry(): Promise<string> {
    if (findProgram('docker-registry') === undefined) await aptInstall(['docker-registry']);
    const config = join(this.#folder, 'registry.yml');
    const storage = { filesystem: { rootdirectory: join(this.#folder, 'registry') } };
    await writeFile(config, JSON.stringify({ version: 0.1, storage, http: { addr: `0.0.0.0:${REGISTRY_PORT}` } }));
    const log = openSync(join(this.#folder, 'registry.log'), 'a');
    spawn('nsenter', [...this.#namespaces, findProgram('docker-registry') ?? '', 'serve', config], {
      detached: true,
      stdio: ['ignore', log, log],
    }).unref();
    const registry = `${this.address}:${REGISTRY_PORT}`;
    const answers = () =>
      fetch(`http://${registry}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('the registry answers', answers, 60_000);
    return registry;
  }

  async push(image: string): Promise<void> {
    await run('docker', ['--host', `unix://${this.socket}`, 'push', '--quiet', image]);
  }

  get #pidFile(): string {
    return join(this.#folder, 'dockerd.pid');
  }

  get #namespaces(): string[] {
    return [`--net=/run/netns/${this.name}`];
  }
}
