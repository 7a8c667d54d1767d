import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Place } from '../support/app.ts';
import { runningContainers } from '../support/app.ts';
import { expectStatus } from '../support/docker-api.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { pause } from '../support/raw-client.ts';
import { Relay } from '../support/relay.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** An exit sooner after the start than this is a failed start. */
const ESTABLISHED_MS = 10_500;
/** Dials that were under way when the replica died, and those between a look and what was found by it. */
const STRAYS = 2;

/** Takes a port as soon as it is free, and counts the requests that it gets. */
function takeOver(port: number): { taken: Promise<void>; requests: () => number; close: () => void } {
  let requests = 0;
  let isOver = false;
  let server: Server | undefined;
  const attempt = (): Promise<boolean> =>
    new Promise((resolve) => {
      server = createServer((_, answer) => {
        requests++;
        answer.end('a stranger');
      });
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
  const taken = (async () => {
    while (!isOver && !(await attempt())) await pause(2);
  })();
  const close = () => {
    isOver = true;
    server?.closeAllConnections();
    server?.close();
  };
  return { taken, requests: () => requests, close };
}

describe('another program that takes the port of a replica that died', () => {
  const kinds: [Place, number][] = [
    ['docker-host', 1],
    ['docker-host', 2],
    ['process', 1],
  ];
  for (const [place, workers] of kinds) {
    scenario(`gets none of the requests for it (${place}, workers: ${workers})`, async (stage) => {
      const app = await stage.app('app', { place });
      const engine = { path: stage.workspace.dockerSocket };
      const line = await Relay.open({ path: join(stage.workspace.folder, 'engine.sock') }, engine);
      stage.onEnd(() => line.cut());
      const docker =
        place === 'process' ? {} : { docker: { socket: join(stage.workspace.folder, 'engine.sock'), reach: 'host' } };
      const proxy = await stage.proxy({ apps: [app], config: { ...docker, workers } });
      await proxy.request({ host: app.host });
      const { boot: died, pid } = app.log.only('boot');
      const [replica] = (await proxy.service(app.name)).replicas.filter(({ state }) => state === 'ready');
      const port = Number(replica?.address?.split(':').at(-1));
      await pause(ESTABLISHED_MS);
      const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: 100 });
      await pause(1000);
      const stranger = takeOver(port);
      stage.onEnd(() => stranger.close());
      // An engine that has much to do tells of an end long after the port is free.
      line.answerDelayMs = 150;
      if (place === 'process') {
        killIfAlive(pid, 'SIGKILL');
      } else {
        const [id] = await runningContainers(stage.workspace);
        expectStatus(await stage.docker('POST', `/containers/${id}/kill`), 204);
      }
      await stranger.taken;
      await proxy.untilTold('exited');
      await pause(2000);
      const samples = await load.stop();
      expect(stranger.requests()).toBeLessThanOrEqual(STRAYS);
      // What was on its way when it died may be lost, which is more where the machine is busy; nothing later is.
      const lost = samples.filter(({ status }) => status !== 200);
      expect(lost.length).toBeLessThanOrEqual(30);
      // What was in flight as it died is a GET, which may be sent once more: to a replica of the app, and no other.
      for (const id of app.log.repeated()) {
        const [first, ...others] = app.log.begun(id);
        expect({ id, first, others: others.length }).toEqual({ id, first: died, others: 1 });
        expect(others).not.toContain(died);
        stage.mayRepeat(id);
      }
    });
  }
});

scenario(
  'a program that takes the port of a process before it listens costs another try, and gets no request',
  async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_GATE: 'start' } });
    const proxy = await stage.proxy({ apps: [app] });
    const answer = proxy.request({ host: app.host, path: '/for-the-app' });
    const address = async () => (await proxy.service(app.name)).replicas[0]?.address ?? undefined;
    await until('its port is known', async () => (await address()) !== undefined);
    const first = Number((await address())?.split(':').at(-1));
    const asked: string[] = [];
    const stranger = createServer(({ url }, out) => {
      asked.push(url ?? '');
      out.end('a stranger');
    });
    stage.onEnd(() => {
      stranger.closeAllConnections();
      stranger.close();
    });
    stranger.listen(first, '127.0.0.1');
    await once(stranger, 'listening');
    const told = `port ${first} was taken by another program (pid ${process.pid})`;
    await until('it is tried again', () => proxy.output.includes(told));
    app.open('start');
    expect((await answer).status).toBe(200);
    expect(new Set(asked)).toEqual(new Set(asked.length > 0 ? ['/'] : []));
    expect(proxy.output).not.toContain('start-failed');
    expect((await proxy.service(app.name)).replicas).toMatchObject([{ state: 'ready' }]);
  },
);
