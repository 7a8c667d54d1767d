import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import { freePort } from './free-port.ts';
import { KeptDaemon } from './kept-daemon.ts';
import { makeFolder, noteStrays } from './remains.ts';
import { until } from './until.ts';

interface AgentOptions {
  /** Switches ACLs on: the secret of the one token that there is, which may do everything. */
  master?: string;
  /** Its name; given, it can be joined with others. */
  datacenter?: string;
}

/** A Consul agent in development mode on loopback ports of its own; it keeps nothing on disk. */
export class ConsulAgent {
  /** The HTTP address, `http://127.0.0.1:PORT`; the same after a restart. */
  readonly address: string;
  readonly #binary: string;
  readonly #httpPort: number;
  /** Of the token that may do everything, where the others may do nothing. */
  readonly #master: string | undefined;
  readonly #datacenter: string | undefined;
  /** Where servers of other datacenters find it. */
  #wanPort = -1;
  #pidFile = '';
  #daemon: KeptDaemon | undefined;

  private constructor(binary: string, httpPort: number, { master, datacenter }: AgentOptions) {
    this.#binary = binary;
    this.#httpPort = httpPort;
    this.#master = master;
    this.#datacenter = datacenter;
    this.address = `http://127.0.0.1:${httpPort}`;
  }

  /** Starts an agent and returns when it leads and lists itself. */
  static async start(binary: string, options: AgentOptions = {}): Promise<ConsulAgent> {
    const agent = new ConsulAgent(binary, await freePort(), options);
    await agent.#launch();
    return agent;
  }

  /** Joins its datacenter with that of another agent; returns when this one has answers from there. */
  async joinDatacenter(other: ConsulAgent): Promise<void> {
    const join = await fetch(`${this.address}/v1/agent/join/127.0.0.1:${other.#wanPort}?wan=1`, { method: 'PUT' });
    if (!join.ok) throw new Error(`the datacenters do not join: ${await join.text()}`);
    await until('an answer from the other datacenter', async () => {
      return (await fetch(`${this.address}/v1/catalog/services?dc=${other.#datacenter}`)).ok;
    });
  }

  /** Kills the agent: no leave, no deregistration. */
  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#daemon = undefined;
  }

  /** Has it stop in the middle of whatever it does: its connections stay, and nothing is answered any more. */
  async freeze(): Promise<void> {
    process.kill(Number(await readFile(this.#pidFile, 'utf8')), 'SIGSTOP');
  }

  /** Kills the agent and starts a new one at the same address: its catalog is empty and its index starts again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  async #launch(): Promise<void> {
    const folder = await makeFolder('consul');
    // Debian's Consul makes this folder whenever it runs, and never uses it.
    await noteStrays(folder, { paths: ['/tmp/consul-test/'], addresses: [] });
    if (this.#datacenter !== undefined) this.#wanPort = await freePort();
    const ports = await agentPorts(this.#binary, { http: this.#httpPort, serf_wan: this.#wanPort });
    const args = ['agent', '-dev', '-bind', '127.0.0.1', '-client', '127.0.0.1', '-node', 'pilotlight-test'];
    if (this.#datacenter !== undefined) args.push('-datacenter', this.#datacenter);
    // The pid file puts the folder's name into the command line, by which a left-over process is known.
    this.#pidFile = join(folder, 'pid');
    args.push('-pid-file', this.#pidFile, '-hcl', `ports { ${ports} }\nsession_ttl_min = "1s"`);
    if (this.#master !== undefined) args.push('-hcl', acl(this.#master));
    this.#daemon = new KeptDaemon({ program: this.#binary, args, folder, stopSignal: 'SIGKILL', graceMs: 0 });
    await this.#daemon.ready('consul', () => listsItself(this.address, this.#master), 120_000);
  }
}

/** The ports of an agent, as its configuration has them; -1: none. */
export async function agentPorts(
  binary: string,
  own: { http: number; serf_lan?: number; serf_wan: number },
): Promise<string> {
  const [server, serf_lan] = [await freePort(), await freePort()];
  const ports: Record<string, number> = { https: -1, dns: -1, grpc: -1, server, serf_lan, ...own };
  const [major = 0, minor = 0] = (/v(\d+)\.(\d+)/.exec(await run(binary, ['version'])) ?? []).slice(1).map(Number);
  // Known since 1.14, and open by default in development mode; older agents refuse the word.
  if (major > 1 || minor >= 14) ports['grpc_tls'] = -1;
  return Object.entries(ports)
    .map(([name, port]) => `${name} = ${port}`)
    .join(' ');
}

/** The old names of the tokens: newer agents take them as well. */
function acl(master: string): string {
  return `acl { enabled = true, default_policy = "deny", tokens { master = "${master}", agent = "${master}" } }`;
}

/** A leader alone is not enough: until the agent is in its own catalog, answers about health change under a test. */
export async function listsItself(address: string, token = ''): Promise<boolean> {
  try {
    const answer = await fetch(`${address}/v1/health/service/consul?passing`, {
      headers: { 'X-Consul-Token': token },
      signal: AbortSignal.timeout(2_000),
    });
    return answer.ok && ((await answer.json()) as unknown[]).length > 0;
  } catch {
    return false;
  }
}
