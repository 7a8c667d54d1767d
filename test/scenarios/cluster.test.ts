import { describe, expect, inject } from 'vitest';
import type { ClusterStatus } from '../../src/model/cluster.ts';
import type { App } from '../support/app.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { freePort } from '../support/free-port.ts';
import { parseMetrics, sumOf } from '../support/metrics-text.ts';
import { byStatus, PacedLoad } from '../support/paced-load.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { burst, epochNow, pause } from '../support/raw-client.ts';
import { Relay } from '../support/relay.ts';
import { isAlive } from '../support/remains.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const TTL_MS = 4000;
/** Consul keeps the session of one that is gone for up to twice its TTL, and the lock a second longer. */
const LED_AGAIN_MS = 2 * TTL_MS + 3000;

/** Several proxies as one, with a Consul agent and an engine that all of them reach. */
class Cluster {
  readonly proxies: RunningProxy[];
  readonly consul: ConsulAgent;

  private constructor(proxies: RunningProxy[], consul: ConsulAgent) {
    this.proxies = proxies;
    this.consul = consul;
  }

  static async start(stage: Stage, apps: App[], count = 3, config: object = {}): Promise<Cluster> {
    const consul = await ConsulAgent.start(inject('consulBinary'));
    stage.onEnd(() => consul.stop());
    const enginePort = await freePort();
    const engine = await Relay.open({ port: enginePort }, { path: stage.workspace.dockerSocket });
    stage.onEnd(() => engine.cut());
    const launched = Array.from({ length: count }, async () => {
      const cluster = {
        name: 'edge',
        advertise: `127.0.0.1:${await freePort()}`,
        secret: 'a-secret-of-many-characters',
        ttl: `${TTL_MS}ms`,
        lease: '2s',
      };
      const shared = { consul: { address: consul.address }, docker: { socket: `tcp://127.0.0.1:${enginePort}` } };
      return stage.proxy({ apps, config: { ...shared, cluster, ...config } });
    });
    return new Cluster(await Promise.all(launched), consul);
  }

  /** Who leads now, by its own metrics; undefined: nobody does. */
  async leader(among = this.proxies): Promise<RunningProxy | undefined> {
    for (const proxy of among) {
      const leads = await proxy.metric('pilotlight_cluster_leader').catch(() => 0);
      if (leads === 1) return proxy;
    }
    return undefined;
  }

  async untilLed(among = this.proxies, withinMs = LED_AGAIN_MS): Promise<RunningProxy> {
    let leader: RunningProxy | undefined;
    const look = async () => {
      leader = await this.leader(among);
      return leader !== undefined;
    };
    // Five-fold, as the machine may be busy: the bound itself is proved on virtual time.
    await until('one leads', look, withinMs * 5, 50);
    return leader as RunningProxy;
  }

  /** The leader, and the others. */
  async roles(): Promise<{ leader: RunningProxy; others: RunningProxy[] }> {
    const leader = await this.untilLed();
    return { leader, others: this.proxies.filter((proxy) => proxy !== leader) };
  }
}

const loadOn = (proxies: RunningProxy[], { host }: App, rate = 20) =>
  proxies.map(({ port }) => PacedLoad.start({ port, host, rate }));

const statusesOf = async (loads: PacedLoad[]): Promise<Record<number, number>> =>
  byStatus((await Promise.all(loads.map((load) => load.stop()))).flat());

/** How the cluster stands, as this member tells it. */
async function standing(proxy: RunningProxy): Promise<ClusterStatus> {
  const { cluster } = (await (await proxy.admin('/v1/cluster')).json()) as { cluster: ClusterStatus };
  return cluster;
}

const onlyGood = (statuses: Record<number, number>) => expect(Object.keys(statuses)).toEqual(['200']);

describe('several proxies as one', () => {
  scenario(
    'cold requests at three proxies come to one start; a leader that is killed under load costs nobody an answer elsewhere',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container', mimic: { LISTEN_MS: 500 } });
      const cluster = await Cluster.start(stage, [app]);
      const cold = await Promise.all(cluster.proxies.map(({ port }) => burst(port, 34, { host: app.host })));
      expect(cold.flat().map(({ status }) => status)).toEqual(Array.from({ length: 102 }, () => 200));
      expect(app.log.boots()).toHaveLength(1);

      const { leader, others } = await cluster.roles();
      // Each of them tells the whole, whoever is asked.
      for (const proxy of cluster.proxies) {
        const { replicas } = await proxy.service('shop');
        expect(replicas.filter(({ state }) => state === 'ready')).toHaveLength(1);
      }

      const [replica] = (await leader.service('shop')).replicas;
      const weigh = { method: 'POST', body: '{"weight":5}', headers: { 'content-type': 'application/json' } };
      const path = '/v1/services/shop/endpoints';
      expect((await leader.admin(`${path}/${encodeURIComponent(replica?.address ?? '')}`, weigh)).status).toBe(200);
      const loads = loadOn(others, app);
      await pause(1000);
      await leader.crash();
      const crashedAt = epochNow();
      const next = await cluster.untilLed(others);
      await pause(3000);
      const samples = (await Promise.all(loads.map((load) => load.stop()))).flat();
      onlyGood(byStatus(samples));
      expect(app.log.boots()).toHaveLength(1);
      expect(await (await next.admin(path)).json()).toMatchObject([{ weight: 5, byHand: { weight: 5 } }]);
      // What was answered while nobody led is counted by who leads now; a report of the last second went to the one that is dead.
      const answered = samples.filter(({ endedAt }) => endedAt > crashedAt + 1000).length;
      const labels = { service: 'shop', code: '200' };
      const counted = async () =>
        sumOf(parseMetrics(await (await next.admin('/metrics')).text()), 'pilotlight_requests_total', labels);
      await until('all answers are counted', async () => (await counted()) >= answered, 30_000);
      await next.untilState('shop', 'ready');

      await next.sleep('shop');
      await next.untilState('shop', 'asleep');
      const again = await Promise.all(others.map(({ port }) => burst(port, 10, { host: app.host })));
      expect(new Set(again.flat().map(({ status }) => status))).toEqual(new Set([200]));
      expect(app.log.boots()).toHaveLength(2);
    },
    { alone: true },
  );

  scenario(
    'a leader that is killed while it starts a replica: what waits elsewhere is answered, and nothing is started twice',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container', mimic: { LISTEN_GATE: 'port' } });
      const cluster = await Cluster.start(stage, [app], 3, { defaults: { hold: { timeout: '110s' } } });
      const { leader, others } = await cluster.roles();
      const waiting = Promise.all(others.map(({ port }) => burst(port, 5, { host: app.host, timeout: 120_000 })));
      await until('a replica runs', () => app.log.boots().length > 0, 60_000);
      await leader.crash();
      await cluster.untilLed(others);
      app.open('port');
      expect((await waiting).flat().map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
      expect(app.log.boots()).toHaveLength(1);
    },
    { alone: true },
  );

  scenario(
    'a leader that stands still for longer than its right lasts finds another one leading, and acts on nothing',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container', service: { scale: { idle: '1h' } } });
      const cluster = await Cluster.start(stage, [app]);
      const { leader, others } = await cluster.roles();
      expect((await others[0]?.request({ host: app.host }))?.status).toBe(200);
      const loads = loadOn(others, app);
      leader.signal('SIGSTOP');
      try {
        await cluster.untilLed(others);
      } finally {
        leader.signal('SIGCONT');
      }
      await until('it follows', async () => (await leader.metric('pilotlight_cluster_leader')) === 0, 30_000);
      await until('its edge serves', async () => (await leader.request({ host: app.host })).status === 200, 30_000);
      await pause(2000);
      onlyGood(await statusesOf(loads));
      expect(app.log.boots()).toHaveLength(1);
      expect(await cluster.leader([leader])).toBe(undefined);
    },
    { alone: true },
  );

  scenario(
    'every member is replaced by a new process in turn, and nobody loses an answer',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container', service: { scale: { idle: '1h' } } });
      const cluster = await Cluster.start(stage, [app], 2);
      expect((await cluster.proxies[0]?.request({ host: app.host }))?.status).toBe(200);
      const loads = loadOn(cluster.proxies, app);
      for (const proxy of cluster.proxies) {
        const before = proxy.pid;
        proxy.signal('SIGUSR2');
        await until('a successor serves', () => proxy.output.includes('"event":"upgraded"'), 60_000, 10);
        await until('the process before has ended', () => !isAlive(before), 60_000);
        await cluster.untilLed();
      }
      await pause(1000);
      onlyGood(await statusesOf(loads));
      expect(app.log.boots()).toHaveLength(1);
    },
    { alone: true },
  );

  scenario(
    'a leader that ends in order is followed at once by one that knows what was decided a moment before, as all tell',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container' });
      const cluster = await Cluster.start(stage, [app]);
      const { leader, others } = await cluster.roles();
      const [follower] = others as [RunningProxy];
      await until('all are connected', async () => {
        const { members } = await standing(follower);
        return members.length === 3 && members.every(({ silentMs, edges }) => silentMs !== null && edges.length > 0);
      });
      expect((await standing(leader)).leader).toEqual((await standing(follower)).leader);
      const body = JSON.stringify({ for: '1h', reason: 'sale' });
      expect((await follower.admin('/v1/services/shop/freeze', { method: 'POST', body })).status).toBe(200);

      await leader.stop();
      const next = await cluster.untilLed(others);
      // What a new leader adopts takes a moment.
      await until('it answers', async () => (await next.admin('/v1/services')).status === 200, 30_000);
      expect((await next.service('shop')).frozen?.reason).toBe('sale');
      await until('the one that left is in no list', async () => (await standing(next)).members.length === 2, 30_000);
      expect((await standing(next)).leader?.member).toBe((await standing(next)).self);
    },
    { alone: true },
  );
});
