import { expect, inject } from 'vitest';
import type { ClusterStatus } from '../../src/model/cluster.ts';
import type { App } from './app.ts';
import { ConsulAgent } from './consul-agent.ts';
import { freePort } from './free-port.ts';
import { byStatus, PacedLoad, type Sample } from './paced-load.ts';
import type { RunningProxy } from './proxy.ts';
import { Relay } from './relay.ts';
import type { Stage } from './scenario.ts';
import { until } from './until.ts';

const TTL_MS = 4000;
const LEASE_MS = 2000;
export const SECRET = 'a-secret-of-many-characters';

interface ClusterOptions {
  count?: number;
  ttlMs?: number;
  /** Top-level keys of every member's configuration. */
  config?: object;
  /** Addresses of Consul agents, one member after the other; an agent of the cluster's own unless told. */
  consul?: readonly string[];
  /** For Consul. */
  token?: string;
  /** The environment of each member. */
  env?: readonly Record<string, string>[];
}

type Shared = { consul: readonly string[]; ttlMs: number; token: string | undefined };

interface MemberOptions {
  /** Which of the Consul agents it asks. */
  at?: number;
  env?: Record<string, string>;
  /** Of the section `cluster`. */
  change?: object;
  token?: string | undefined;
}

/** How a member reaches the others, and Consul: where a test can cut it off. */
interface Lines {
  /** Where the others reach it, as it says. */
  advertise: string;
  consul: Relay;
  /** By which the others reach it while it leads. */
  wire: Relay;
}

/** Several proxies as one, with a Consul agent and an engine that all of them reach. */
export class Cluster {
  readonly proxies: RunningProxy[] = [];
  readonly #stage: Stage;
  readonly #apps: App[];
  readonly #shared: object;
  readonly #consul: readonly string[];
  readonly #token: string | undefined;
  readonly #ttlMs: number;
  readonly #lines = new Map<RunningProxy, Lines>();

  private constructor(stage: Stage, apps: App[], shared: object, { consul, ttlMs, token }: Shared) {
    this.#stage = stage;
    this.#apps = apps;
    this.#shared = shared;
    this.#consul = consul;
    this.#token = token;
    this.#ttlMs = ttlMs;
  }

  static async start(stage: Stage, apps: App[], options: ClusterOptions = {}): Promise<Cluster> {
    const { count = 3, config = {}, ttlMs = TTL_MS, consul = [await ownAgent(stage)], token, env = [] } = options;
    const enginePort = await freePort();
    const engine = await Relay.open({ port: enginePort }, { path: stage.workspace.dockerSocket });
    stage.onEnd(() => engine.cut());
    const shared = { docker: { socket: `tcp://127.0.0.1:${enginePort}` }, ...config };
    const cluster = new Cluster(stage, apps, shared, { consul, ttlMs, token });
    const members = Array.from({ length: count }, (_, index) => cluster.add({ at: index, env: env[index] ?? {} }));
    await Promise.all((await Promise.all(members)).map((proxy) => proxy.ready()));
    return cluster;
  }

  /** Starts one more member, and does not wait for it. */
  async add({ at = 0, env = {}, change = {}, token = this.#token }: MemberOptions = {}): Promise<RunningProxy> {
    const [wirePort, ownPort, consulPort] = [await freePort(), await freePort(), await freePort()];
    const consul = new URL(this.#consul[at % this.#consul.length] as string);
    const lines = {
      advertise: `127.0.0.1:${wirePort}`,
      wire: await Relay.open({ port: wirePort }, { port: ownPort }),
      consul: await Relay.open({ port: consulPort }, { port: Number(consul.port) }),
    };
    for (const line of [lines.wire, lines.consul]) this.#stage.onEnd(() => line.cut());
    const cluster = {
      name: 'edge',
      advertise: lines.advertise,
      address: `127.0.0.1:${ownPort}`,
      secret: SECRET,
      ttl: `${this.#ttlMs}ms`,
      lease: `${LEASE_MS}ms`,
      ...change,
    };
    const own = {
      consul: { address: `http://127.0.0.1:${consulPort}`, ...(token !== undefined && { token }) },
      cluster,
    };
    const proxy = await this.#stage.launch({ apps: this.#apps, config: { ...this.#shared, ...own }, env });
    this.proxies.push(proxy);
    this.#lines.set(proxy, lines);
    return proxy;
  }

  linesOf(proxy: RunningProxy): Lines {
    return this.#lines.get(proxy) as Lines;
  }

  /** Who leads now, by its own metrics; undefined: nobody does. */
  async leader(among = this.proxies): Promise<RunningProxy | undefined> {
    for (const proxy of among) {
      const leads = await proxy.metric('pilotlight_cluster_leader').catch(() => 0);
      if (leads === 1) return proxy;
    }
    return undefined;
  }

  async untilLed(among = this.proxies): Promise<RunningProxy> {
    let leader: RunningProxy | undefined;
    const look = async () => {
      leader = await this.leader(among);
      return leader !== undefined;
    };
    // Consul keeps the session of one that is gone for up to twice its TTL, and the lock a second longer. Five-fold, as the machine may be busy: the bound itself is proved on virtual time.
    await until('one leads', look, (2 * this.#ttlMs + 3000) * 5, 50);
    return leader as RunningProxy;
  }

  /**
   * Waits until Consul has nothing of members that were killed but their records, which a leader takes out later: sessions
   * of those that live alone, the lock by one of them, and no service of anybody's.
   */
  async nothingStaysInConsul(living: RunningProxy[]): Promise<void> {
    const ask = async (path: string) => (await fetch(`${this.#consul[0]}/v1/${path}`)).json();
    const names = living.map((proxy) => `pilotlight edge ${this.linesOf(proxy).advertise}`).sort();
    await until('the dead have no session', async () => {
      const sessions = (await ask('session/list')) as { ID: string; Name: string }[];
      const [lock] = (await ask('kv/pilotlight/edge/leader')) as { Session?: string }[];
      const isOurs = sessions.some(({ ID }) => ID === lock?.Session);
      return isOurs && JSON.stringify(sessions.map(({ Name }) => Name).sort()) === JSON.stringify(names);
    });
    expect(Object.keys((await ask('catalog/services')) as object)).toEqual(['consul']);
  }

  /** The leader, and the others. */
  async roles(among = this.proxies): Promise<{ leader: RunningProxy; others: RunningProxy[] }> {
    const leader = await this.untilLed(among);
    return { leader, others: among.filter((proxy) => proxy !== leader) };
  }
}

async function ownAgent(stage: Stage): Promise<string> {
  const agent = await ConsulAgent.start(inject('consulBinary'));
  stage.onEnd(() => agent.stop());
  return agent.address;
}

export const loadOn = (proxies: RunningProxy[], { host }: App, rate = 20) =>
  proxies.map(({ port }) => PacedLoad.start({ port, host, rate }));

/** Ends the loads, all of whose requests were answered well. */
export async function allGood(loads: PacedLoad[]): Promise<Sample[]> {
  const samples = (await Promise.all(loads.map((load) => load.stop()))).flat();
  expect(byStatus(samples)).toEqual({ 200: samples.length });
  return samples;
}

/** How the cluster stands, as this member tells it. */
export async function standing(proxy: RunningProxy): Promise<ClusterStatus> {
  const { cluster } = (await (await proxy.admin('/v1/cluster')).json()) as { cluster: ClusterStatus };
  return cluster;
}

/** Waits until so many members are connected to the leader, as this one tells. */
export async function untilConnected(proxy: RunningProxy, count: number): Promise<void> {
  await until(
    `${count} members are connected`,
    async () => {
      const { members } = await standing(proxy);
      return members.filter(({ silentMs, edges }) => silentMs !== null && edges.length > 0).length === count;
    },
    60_000,
  );
}
