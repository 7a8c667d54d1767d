import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject } from 'vitest';
import { Kind } from '../../src/control/cluster/wire/frame.ts';
import { PROTOCOL } from '../../src/control/cluster/wire/hello.ts';
import { Stranger } from '../control/cluster/wire/stranger.ts';
import type { App } from '../support/app.ts';
import { runningContainers } from '../support/app.ts';
import { allGood, Cluster, loadOn, SECRET, standing, untilConnected } from '../support/cluster.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { ConsulServers } from '../support/consul-servers.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { pause } from '../support/raw-client.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { wrongClock } from '../support/wrong-clock.ts';

const MASTER = '6f2a4b1e-0c7d-4d8f-9a53-3b1f0e6c2d47';

/** Replicas of a service that this member says are ready. */
async function readyOf(proxy: RunningProxy, service: string): Promise<number> {
  return (await proxy.service(service)).replicas.filter(({ state }) => state === 'ready').length;
}

/** What runs is what the leader knows, each once. */
async function nothingIsLeftOver(stage: Stage, leader: RunningProxy, apps: App[]): Promise<void> {
  const known = async () => {
    const all = await Promise.all(apps.map(({ name }) => leader.service(name)));
    return all.flatMap(({ replicas }) => replicas).filter(({ state }) => state === 'ready').length;
  };
  await until('what runs is known', async () => (await runningContainers(stage.workspace)).length === (await known()));
}

describe('several proxies as one, when something fails', () => {
  scenario(
    'leaders are killed while they retire and while they scale, with clocks that are minutes apart: nothing is started twice',
    async (stage) => {
      const warm = await stage.app('warm', { place: 'docker-container', service: { scale: { idle: '1h' } } });
      const shop = await stage.app('shop', {
        place: 'docker-container',
        mimic: { LISTEN_GATE: 'port' },
        service: { scale: { idle: '1h', max: 3 } },
      });
      shop.open('port');
      const env = [await wrongClock(5), await wrongClock(-5), {}];
      const cluster = await Cluster.start(stage, [warm, shop], {
        env,
        config: { defaults: { hold: { timeout: '110s' } } },
      });
      const { leader, others } = await cluster.roles();
      const [other] = others as [RunningProxy];
      const first = await Promise.all(others.map((proxy) => proxy.request({ host: warm.host, timeout: 120_000 })));
      expect(first.map(({ status }) => status)).toEqual([200, 200]);
      // It is retired while a request is in its hands, which keeps it from being stopped.
      const inHand = other.request({ host: shop.host, path: '/?gate=answer', timeout: 120_000 });
      inHand.catch(() => undefined);
      await until('the request is there', () => shop.log.events('begin').length === 1, 60_000);
      const loads = loadOn(others, warm);
      await leader.sleep('shop');
      await until('it drains', async () =>
        (await leader.service('shop')).replicas.some(({ state }) => state === 'draining'),
      );
      await leader.crash();
      const second = await cluster.untilLed(others);
      await until('it answers', async () => (await second.admin('/v1/services/shop')).ok);
      await second.untilState('shop', 'ready');
      shop.open('answer');
      expect((await inHand).status).toBe(200);
      await nothingIsLeftOver(stage, second, [warm, shop]);
      expect(shop.log.boots()).toHaveLength(1);

      // Of the two that are left, the one that leads is killed while a second replica starts.
      rmSync(join(stage.workspace.folder, 'shop.gate-port'));
      expect(
        (await second.admin('/v1/services/shop/scale', { method: 'POST', body: JSON.stringify({ replicas: 2 }) }))
          .status,
      ).toBe(200);
      await until('a second replica runs', () => shop.log.boots().length === 2, 60_000);
      const [last] = others.filter((proxy) => proxy !== second) as [RunningProxy];
      await second.crash();
      await cluster.untilLed([last]);
      shop.open('port');
      await until(
        'both are ready',
        async () => (await last.admin('/v1/services/shop')).ok && (await readyOf(last, 'shop')) === 2,
        60_000,
      );
      await loads[others.indexOf(second)]?.stop();
      await allGood(loads.filter((_, at) => others[at] === last));
      await nothingIsLeftOver(stage, last, [warm, shop]);
      await cluster.nothingStaysInConsul([last]);
      expect([warm.log.boots().length, shop.log.boots().length]).toEqual([1, 2]);
    },
    { alone: true },
  );

  scenario(
    'an edge that is cut off serves on and loses nothing; what it holds is taken up when the line is whole again',
    async (stage) => {
      const idle = { scale: { idle: '3s' } };
      const shop = await stage.app('shop', { place: 'docker-container', service: idle });
      const blog = await stage.app('blog', { place: 'docker-container', service: idle });
      const brief = await stage.app('brief', { place: 'docker-container', service: { hold: { timeout: '1s' } } });
      const config = { defaults: { hold: { timeout: '110s' } } };
      const cluster = await Cluster.start(stage, [shop, blog, brief], { count: 2, config, ttlMs: 10_000 });
      const { leader, others } = await cluster.roles();
      const [edge] = others as [RunningProxy];
      expect((await edge.request({ host: shop.host })).status).toBe(200);
      await untilConnected(leader, 2);
      const loads = loadOn([edge], shop);

      for (const line of [cluster.linesOf(edge).consul, cluster.linesOf(leader).wire]) line.silence();
      await until(
        'the leader misses it',
        async () => {
          const { members } = await standing(leader);
          return members.some(({ silentMs }) => silentMs === null);
        },
        60_000,
      );
      const held = edge.request({ host: blog.host, timeout: 120_000 });
      held.catch(() => undefined);
      expect((await edge.request({ host: brief.host, timeout: 60_000 })).status).toBe(504);
      // The leader does not see any of the requests, and the idle time passes twice.
      await pause(7000);
      expect([shop.log.events('term').length, blog.log.boots().length]).toEqual([0, 0]);
      expect(await runningContainers(stage.workspace)).toHaveLength(1);

      for (const line of [cluster.linesOf(edge).consul, cluster.linesOf(leader).wire]) line.heal();
      await untilConnected(leader, 2);
      expect((await held).status).toBe(200);
      await allGood(loads);
      expect([shop.log.boots().length, blog.log.boots().length]).toEqual([1, 1]);
      // It is out of nobody's sight any more: what nobody uses is stopped again.
      await leader.untilState('shop', 'asleep');
    },
    { alone: true },
  );

  scenario(
    'servers of Consul are restarted and killed, and a session is taken away: warm requests do not notice, and nothing is started twice',
    async (stage) => {
      const shop = await stage.app('shop', { place: 'docker-container', service: { scale: { idle: '1h' } } });
      const consul = await ConsulServers.start(inject('consulBinary'), stage.workspace.folder);
      stage.onEnd(() => consul.stop());
      const addresses = consul.servers.map(({ address }) => address);
      const cluster = await Cluster.start(stage, [shop], { consul: addresses });
      await cluster.untilLed();
      expect(
        (await Promise.all(cluster.proxies.map((proxy) => proxy.request({ host: shop.host })))).map(
          ({ status }) => status,
        ),
      ).toEqual([200, 200, 200]);
      const loads = loadOn(cluster.proxies, shop);
      const serverOf = (proxy: RunningProxy) => consul.servers[cluster.proxies.indexOf(proxy)];

      // The agent that the leader asks: it may lose its right by that, and whoever asks another one leads then.
      const { leader } = await cluster.roles();
      const index = async (proxy: RunningProxy) => (await standing(proxy)).leader?.index ?? 0;
      const before = await index(leader);
      const server = serverOf(leader);
      await server?.kill();
      await server?.start();
      await server?.untilServing();
      await cluster.untilLed();

      const first = await consul.leader();
      await first.kill();
      await consul.leader();
      await cluster.untilLed();
      await first.start();
      await first.untilServing();

      const [lock] = (await (await fetch(`${addresses[0]}/v1/kv/pilotlight/edge/leader?consistent`)).json()) as {
        Session: string;
      }[];
      await fetch(`${addresses[0]}/v1/session/destroy/${lock?.Session}`, { method: 'PUT' });
      await until(
        'another one took the lock',
        async () => {
          const indexes = await Promise.all(cluster.proxies.map(index));
          return indexes.every((now) => now > before && now === indexes[0]) && (await cluster.leader()) !== undefined;
        },
        60_000,
      );
      await untilConnected(await cluster.untilLed(), 3);
      await pause(1000);
      await allGood(loads);
      expect(shop.log.boots()).toHaveLength(1);
      await nothingIsLeftOver(stage, await cluster.untilLed(), [shop]);
    },
    { alone: true },
  );

  scenario(
    'what does not fit is said in a line, and the others go on: an address nobody reaches, another secret, another version, no sessions',
    async (stage) => {
      const shop = await stage.app('shop', { place: 'docker-container', service: { scale: { idle: '1h' } } });
      const agent = await ConsulAgent.start(inject('consulBinary'), { master: MASTER });
      stage.onEnd(() => agent.stop());
      const own = { consul: [agent.address], token: MASTER, ttlMs: 10_000 };
      const cluster = await Cluster.start(stage, [shop], { count: 1, ...own });
      const [alone] = cluster.proxies as [RunningProxy];
      expect((await alone.request({ host: shop.host })).status).toBe(200);
      const loads = loadOn([alone], shop);
      // It leads, and whoever comes next cannot reach it: so it leaves the lead.
      await cluster.linesOf(alone).wire.cut();
      const good = await (await cluster.add()).ready();
      expect(await cluster.untilLed()).toBe(good);
      expect(alone.output).toContain('other members cannot reach this one: it leaves the lead to another one');
      await untilConnected(good, 2);

      const { advertise } = cluster.linesOf(good);
      const [wrong, twin, weak] = await Promise.all([
        cluster.add({ change: { secret: 'another-secret-than-theirs' } }),
        cluster.add({ change: { advertise } }),
        cluster.add({ token: await tokenWithoutSessions(agent.address) }),
      ]);
      const says = (proxy: RunningProxy, words: string) =>
        until(`${words} is said`, () => proxy.output.includes(words), 60_000);
      const [host = '', port] = advertise.split(':');
      const other = await Stranger.open({ host, port: Number(port) }, SECRET);
      const index = (await standing(good)).leader?.index ?? 0;
      other.say(Kind.HELLO, other.hello({ protocol: PROTOCOL + 1, build: '9.0.0', leader: advertise }), 0, index);
      await other.over();
      await says(good, `these versions cannot be one cluster: x 9.0.0 speaks protocol ${PROTOCOL + 1}`);
      await says(wrong, 'is no member of this cluster: it has another secret');
      await says(good, 'is no member of this cluster: it has another secret');
      await says(twin, 'or another member of that name');
      await says(weak, 'begin a session in Consul');
      // What it may not do is to lead.
      await weak.ready();
      expect((await weak.request({ host: shop.host })).status).toBe(200);
      for (const proxy of [wrong, twin]) await proxy.crash();
      await allGood(loads);
      expect(shop.log.boots()).toHaveLength(1);
    },
    { alone: true },
  );
});

/** A token that may write what members write, and make no session. */
async function tokenWithoutSessions(consul: string): Promise<string> {
  const put = async (path: string, body: object) => {
    const answer = await fetch(`${consul}/v1/acl/${path}`, {
      method: 'PUT',
      headers: { 'X-Consul-Token': MASTER },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as { SecretID: string };
  };
  await put('policy', { Name: 'keys', Rules: 'key_prefix "pilotlight/" { policy = "write" }' });
  return (await put('token', { Policies: [{ Name: 'keys' }] })).SecretID;
}
