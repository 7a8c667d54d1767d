import { describe, expect } from 'vitest';
import { allGood, Cluster, loadOn, standing } from '../support/cluster.ts';
import { parseMetrics, sumOf } from '../support/metrics-text.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { burst, epochNow, pause } from '../support/raw-client.ts';
import { isAlive } from '../support/remains.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** For how long a leader stands still at least; until another one leads in any case, ms. */
const PAUSE_MS = Number(process.env['CLUSTER_PAUSE_MS'] ?? 0);

describe('several proxies as one', () => {
  scenario(
    'cold requests at three proxies come to one start; a leader that is killed under load costs nobody an answer elsewhere',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container', mimic: { LISTEN_MS: 500 } });
      const limited = {
        routes: [{ host: 'limited.example', rate: { requests: 30, per: '1h' } }],
        endpoints: { static: ['127.0.0.1:9'] },
      };
      const slots = { scale: { max: 1, concurrency: 2 }, hold: { timeout: '30s' } };
      const narrow = await stage.app('narrow', {
        place: 'docker-container',
        mimic: { LATENCY_MS: 50 },
        service: slots,
      });
      const cluster = await Cluster.start(stage, [app, narrow], { config: { services: { limited } } });
      const cold = await Promise.all(cluster.proxies.map(({ port }) => burst(port, 34, { host: app.host })));
      expect(cold.flat().map(({ status }) => status)).toEqual(Array.from({ length: 102 }, () => 200));
      expect(app.log.boots()).toHaveLength(1);

      const { leader, others } = await cluster.roles();
      // A rate holds over all of them: of 90 requests of one client 30 are not turned away for it (their service is not there).
      const asked = await Promise.all(cluster.proxies.map(({ port }) => burst(port, 30, { host: 'limited.example' })));
      expect(asked.flat().filter(({ status }) => status !== 429)).toHaveLength(30);
      // So do slots: two at once of 30 requests.
      const through = await Promise.all(cluster.proxies.map(({ port }) => burst(port, 10, { host: narrow.host })));
      expect(through.flat().map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
      expect(narrow.log.mostInFlight()).toBe(2);
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
      const samples = await allGood(loads);
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
      const cluster = await Cluster.start(stage, [app], { config: { defaults: { hold: { timeout: '110s' } } } });
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
      const stoodStill = pause(PAUSE_MS);
      try {
        await cluster.untilLed(others);
        await stoodStill;
      } finally {
        leader.signal('SIGCONT');
      }
      await until('it follows', async () => (await leader.metric('pilotlight_cluster_leader')) === 0, 30_000);
      await until('its edge serves', async () => (await leader.request({ host: app.host })).status === 200, 30_000);
      await pause(2000);
      const { length } = await allGood(loads);
      process.stderr.write(`[cluster] ${length} requests at the others while the leader stood still, 0 lost\n`);
      expect(app.log.boots()).toHaveLength(1);
      expect(await cluster.leader([leader])).toBe(undefined);
    },
    { alone: true },
  );

  scenario(
    'every member is replaced by a new process in turn, and nobody loses an answer',
    async (stage) => {
      const app = await stage.app('shop', { place: 'docker-container', service: { scale: { idle: '1h' } } });
      const cluster = await Cluster.start(stage, [app], { count: 2 });
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
      await allGood(loads);
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
