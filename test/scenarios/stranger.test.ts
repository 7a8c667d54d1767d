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

/** An exit sooner after the start than this is a failed start. */
const ESTABLISHED_MS = 10_500;
/** Dials that were under way when the replica died, and those between a look and what was found by it. */
const STRAYS = 2;

/** What was on its way when the end of a replica was told has reached whoever it reaches by then, ms. */
const ON_ITS_WAY_MS = 500;

/** Takes a port as soon as it is free, and notes when it gets requests; epoch ms. */
function takeOver(port: number): { taken: Promise<number>; requests: readonly number[]; close: () => void } {
  const requests: number[] = [];
  let isOver = false;
  let server: Server | undefined;
  const attempt = (): Promise<boolean> =>
    new Promise((resolve) => {
      server = createServer((_, answer) => {
        requests.push(Date.now());
        answer.end('a stranger');
      });
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
  const taken = (async () => {
    while (!isOver && !(await attempt())) await pause(2);
    return Date.now();
  })();
  const close = () => {
    isOver = true;
    server?.closeAllConnections();
    server?.close();
  };
  return { taken, requests, close };
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
      const toldAt = Date.parse((await proxy.untilTold('exited')).at);
      await pause(2000);
      const samples = await load.stop();
      // On a busy machine the kernel and the engine tell of an end late, and much is dialled before that.
      const strays = stranger.requests.filter((at) => at > toldAt + ON_ITS_WAY_MS);
      expect(strays.length).toBeLessThanOrEqual(place === 'process' ? 0 : STRAYS);
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
