import { join } from 'node:path';
import { agentPorts, listsItself } from './consul-agent.ts';
import { freePort } from './free-port.ts';
import { KeptDaemon } from './kept-daemon.ts';
import { makeFolder, noteStrays } from './remains.ts';
import { until } from './until.ts';

/** One server of several that keep the same data, on loopback ports of its own. */
class ConsulServer {
  /** The HTTP address, the same after a restart. */
  readonly address: string;
  readonly #binary: string;
  readonly #args: string[];
  #daemon: KeptDaemon | undefined;

  constructor(binary: string, httpPort: number, args: string[]) {
    this.#binary = binary;
    this.#args = args;
    this.address = `http://127.0.0.1:${httpPort}`;
  }

  /** Starts it with the data that it had; `untilServing` tells when it is back. */
  async start(): Promise<void> {
    const folder = await makeFolder('consul');
    await noteStrays(folder, { paths: ['/tmp/consul-test/'], addresses: [] });
    const args = [...this.#args, '-pid-file', join(folder, 'pid')];
    this.#daemon = new KeptDaemon({ program: this.#binary, args, folder, stopSignal: 'SIGKILL', graceMs: 0 });
  }

  async untilServing(): Promise<void> {
    await this.#daemon?.ready('consul', () => listsItself(this.address), 120_000);
  }

  /** Kills it: it says goodbye to nobody, and what it has on disk stays. */
  async kill(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }
}

/** Servers of Consul that are one, on loopback. */
export class ConsulServers {
  readonly servers: readonly ConsulServer[];

  private constructor(servers: readonly ConsulServer[]) {
    this.servers = servers;
  }

  /**
   * @param folder where their data lies; not theirs to remove
   * @param names of the servers: three unless told
   */
  static async start(binary: string, folder: string, names = ['one', 'two', 'three']): Promise<ConsulServers> {
    const places = [];
    for (const name of names) places.push({ name, http: await freePort(), serf_lan: await freePort() });
    const servers = [];
    for (const { name, http, serf_lan } of places) {
      const ports = await agentPorts(binary, { http, serf_lan, serf_wan: -1 });
      const args = [
        'agent',
        '-server',
        '-bootstrap-expect',
        `${names.length}`,
        '-node',
        name,
        '-data-dir',
        join(folder, name),
      ];
      args.push('-bind', '127.0.0.1', '-client', '127.0.0.1', '-retry-interval', '1s');
      for (const other of places) if (other.name !== name) args.push('-retry-join', `127.0.0.1:${other.serf_lan}`);
      args.push('-hcl', `ports { ${ports} }\nsession_ttl_min = "1s"\nperformance { raft_multiplier = 1 }`);
      servers.push(new ConsulServer(binary, http, args));
    }
    const all = new ConsulServers(servers);
    for (const server of servers) await server.start();
    for (const server of servers) await server.untilServing();
    return all;
  }

  /** The one that leads the others. */
  async leader(): Promise<ConsulServer> {
    let found: ConsulServer | undefined;
    await until('a server of Consul leads', async () => {
      for (const server of this.servers) if (await leads(server.address)) found = server;
      return found !== undefined;
    });
    return found as ConsulServer;
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
  }
}

interface AgentSelf {
  Stats?: { consul?: { leader?: string } };
}

async function leads(address: string): Promise<boolean> {
  try {
    const answer = await fetch(`${address}/v1/agent/self`, { signal: AbortSignal.timeout(2000) });
    return ((await answer.json()) as AgentSelf).Stats?.consul?.leader === 'true';
  } catch {
    return false;
  }
}
