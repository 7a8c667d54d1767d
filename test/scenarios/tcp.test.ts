import { beforeAll, describe, expect } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { RawConnection, request } from '../support/raw-client.ts';
import { askRedis, findOrInstallRedis, RedisClient, redisService } from '../support/redis.ts';
import { isAlive } from '../support/remains.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

let program: string;

beforeAll(async () => {
  program = await findOrInstallRedis();
}, 300_000);

/** A proxy in front of a Redis that sleeps; `port` leads to it. */
async function asleep(stage: Stage, change: object = {}, config: object = {}) {
  const port = await freePort();
  const cache = await redisService(program, stage.workspace.folder, change);
  const settings = {
    listen: [{ address: `127.0.0.1:${port}`, tcp: { service: 'cache' } }],
    ...config,
    services: { cache },
  };
  return { proxy: await stage.proxy({ config: settings }), port, settings };
}

const pidOf = async (port: number): Promise<number> => {
  const client = await RedisClient.open(port);
  await client.connection.write('INFO server\r\n');
  let text = '';
  while (!/process_id:\d+\r/.test(text)) text += (await client.connection.readSome()).toString('latin1');
  client.close();
  return Number(/process_id:(\d+)/.exec(text)?.[1]);
};

const starts = (proxy: RunningProxy): Promise<number> =>
  proxy.metric('pilotlight_cold_starts_total', { service: 'cache' });

describe.concurrent('a database that sleeps', () => {
  scenario(
    'is woken by a connection, sleeps again when it is idle, and has its data when it is woken',
    async (stage) => {
      const { proxy, port } = await asleep(stage, { scale: { idle: '2s' } });
      expect((await proxy.service('cache')).state).toBe('asleep');
      expect(await askRedis(port, 'SET greeting hello')).toBe('+OK');
      const pid = await pidOf(port);
      await proxy.untilState('cache', 'asleep');
      await until('the database has ended', () => !isAlive(pid));
      expect(await askRedis(port, 'GET greeting')).toBe('hello');
      expect(await pidOf(port)).not.toBe(pid);
      expect(await starts(proxy)).toBe(2);
    },
  );

  scenario('is started once for all who come meanwhile, and whoever is connected keeps it awake', async (stage) => {
    const { proxy, port } = await asleep(stage, { scale: { idle: '1s' } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => RedisClient.open(port)));
    const answers = await Promise.all(clients.map((client) => client.ask('INCR visits')));
    expect(new Set(answers).size).toBe(20);
    expect(await starts(proxy)).toBe(1);
    for (const client of clients.slice(1)) client.close();
    const [last] = clients as [RedisClient];
    for (let second = 0; second < 3; second++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(await last.ask('GET visits')).toBe('20');
    }
    expect((await proxy.service('cache')).inFlight).toBe(1);
    last.close();
    await proxy.untilState('cache', 'asleep');
  });

  scenario('is put to sleep when its sessions are silent for timeouts.tunnel', async (stage) => {
    const { proxy, port } = await asleep(stage, { scale: { idle: '1s' }, timeouts: { tunnel: '2s' } });
    const client = await RedisClient.open(port);
    expect(await client.ask('PING')).toBe('+PONG');
    await client.connection.closed;
    await proxy.untilState('cache', 'asleep');
  });

  scenario('gets as many replicas as its sessions need, and gives them up again without cutting one', async (stage) => {
    const port = await freePort();
    const echo = 'require("net").createServer((socket) => socket.pipe(socket)).listen(process.env.PORT, "127.0.0.1")';
    const guards = { downWindow: '3s', stepDownEvery: '1s', downTrial: '1s' };
    const service = {
      run: { process: { command: ['node', '-e', echo], env: { PORT: '{port}' } } },
      scale: { max: 3, concurrency: 2, idle: 'never', guards },
    };
    const listen = [{ address: `127.0.0.1:${port}`, tcp: { service: 'echo' } }];
    const proxy = await stage.proxy({ config: { listen, services: { echo: service } } });
    const echoes = async (session: RawConnection) => {
      await session.write('ping');
      expect((await session.readExactly(4)).toString()).toBe('ping');
    };
    const sessions: RawConnection[] = [];
    while (sessions.length < 5) sessions.push(await RawConnection.open(port));
    for (const session of sessions) await echoes(session);
    const count = async (...states: string[]) =>
      (await proxy.service('echo')).replicas.filter(({ state }) => states.includes(state)).length;
    expect(await count('ready')).toBe(3);
    const [kept, ...others] = sessions as [RawConnection, ...RawConnection[]];
    for (const session of others) session.socket.destroy();
    await until('one replica takes sessions', async () => (await count('ready')) === 1);
    await echoes(kept);
    kept.socket.destroy();
    await until('the others are stopped', async () => (await count('cordoned', 'draining', 'stopping')) === 0);
  });

  for (const place of ['docker-container', 'docker-host'] as const) {
    scenario(`${place}: is connected to when its program accepts, not when the engine does`, async (stage) => {
      const app = await stage.app('app', { place, mimic: { LISTEN_MS: 1500 } });
      const { routes: _, ...service } = app.service;
      const tcp = { send: 'GET / HTTP/1.0\r\n\r\n', expect: 'HTTP/1.' };
      const ready = place === 'docker-host' ? { tcp, timeout: '60s' } : { timeout: '60s' };
      const port = await freePort();
      const listen = [{ address: `127.0.0.1:${port}`, tcp: { service: 'app' } }];
      const proxy = await stage.proxy({ apps: [app], config: { listen, services: { app: { ...service, ready } } } });
      expect((await request(port, { host: app.host })).status).toBe(200);
      expect(await proxy.metric('pilotlight_retries_total', { service: 'app' })).toBe(0);
      expect(app.log.boots()).toHaveLength(1);
    });
  }

  for (const workers of [1, 2]) {
    scenario(
      `with ${workers} process(es), no client is turned away while the proxy is reloaded and upgraded`,
      async (stage) => {
        const { proxy, port, settings } = await asleep(stage, { timeouts: { drain: '2s' } }, { workers });
        expect(await askRedis(port, 'SET count 0')).toBe('+OK');
        let asked = 0;
        let isOver = false;
        const asking = (async () => {
          for (; !isOver; asked++) expect(await askRedis(port, 'INCR count')).toBe(`:${asked + 1}`);
        })();
        await proxy.reload({ ...settings, trustedProxies: ['10.0.0.0/8'] });
        await proxy.untilTold('reloaded');
        for (let round = 0; round < 2; round++) {
          const before = proxy.pid;
          const upgraded = () => proxy.output.split('"event":"upgraded"').length;
          const served = upgraded();
          proxy.signal('SIGUSR2');
          await until('a successor serves', () => upgraded() > served, 60_000, 10);
          await until('the predecessor has ended', () => !isAlive(before), 60_000, 10);
          const sofar = asked;
          await until('clients go on', () => asked > sofar + 5);
        }
        isOver = true;
        await asking;
        expect(asked).toBeGreaterThan(20);
      },
    );

    scenario(`with ${workers} process(es), sessions outlive reloads and upgrades`, async (stage) => {
      const drain = { timeouts: { drain: '20s' } };
      const { proxy, port, settings } = await asleep(stage, drain, { workers });
      const session = await RedisClient.open(port);
      expect(await session.ask('SET who old')).toBe('+OK');
      await proxy.reload({ ...settings, trustedProxies: ['10.0.0.0/8'] });
      await proxy.untilTold('reloaded');
      expect(await session.ask('GET who')).toBe('old');
      const before = proxy.pid;
      proxy.signal('SIGUSR2');
      await until('a successor serves', () => proxy.output.includes('"event":"upgraded"'), 60_000, 10);
      expect(await session.ask('GET who')).toBe('old');
      expect(await askRedis(port, 'SET who new')).toBe('+OK');
      expect(await session.ask('GET who')).toBe('new');
      expect(isAlive(before)).toBe(true);
      session.close();
      await until('the predecessor has ended', () => !isAlive(before), 60_000, 10);
      expect(await askRedis(port, 'GET who')).toBe('new');
    });
  }
});
