import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { pause } from '../support/raw-client.ts';
import { scenario } from '../support/scenario.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { until } from '../support/until.ts';

/** Reads another configuration, and waits until it is served. */
async function reload(proxy: RunningProxy, config: Record<string, unknown>): Promise<void> {
  const reloads = () => proxy.events.filter(({ type }) => type === 'reloaded').length;
  const before = reloads();
  await proxy.reload(config);
  await until('reloaded', () => reloads() > before, 30_000, 5);
}

describe.concurrent('reload', () => {
  for (const workers of [1, 2]) {
    scenario(`with ${workers} process(es), a reload costs no request, no connection and no replica`, async (stage) => {
      const app = await stage.app('app', { mimic: { LATENCY_MS: 5 } });
      const other = await stage.app('other');
      const settings = (round: number) => ({
        apps: [app, other],
        config: {
          workers,
          budget: { heldBytes: `${64 + round}MiB` },
          services: { other: { ...other.service, timeouts: { connect: `${round + 1}s` } } },
        },
      });
      const proxy = await stage.proxy(settings(0));
      await proxy.request({ host: app.host });
      const load = await SteadyLoad.start(proxy.port, app.host, 100);
      for (let round = 1; round <= 10; round++) {
        await reload(proxy, stage.config(settings(round)));
        await pause(100);
      }
      const { failures, kept, fresh, echoed } = await load.stop();
      expect(failures).toEqual([]);
      expect(Math.min(kept, fresh, echoed)).toBeGreaterThan(10);
      expect(app.log.boots()).toHaveLength(1);
    });

    scenario(`with ${workers} process(es), a listener that moves is open before it is closed`, async (stage) => {
      const app = await stage.app('app');
      const [first, second, fixed] = [await freePort(), await freePort(), await freePort()];
      const settings = (port: number) => ({
        apps: [app],
        config: { workers, listen: [{ address: `127.0.0.1:${fixed}` }, { address: `127.0.0.1:${port}` }] },
      });
      const proxy = await stage.proxy(settings(first));
      let stopped = false;
      let gaps = 0;
      let moves = 0;
      let last = first;
      const watch = (async () => {
        while (!stopped) {
          // Whichever refuses: the other one was opened before that.
          const [here, there] = last === first ? [first, second] : [second, first];
          if (!(await accepts(here))) {
            moves++;
            if (!(await accepts(there))) gaps++;
            last = there;
          }
          await pause(1);
        }
      })();
      for (const [index, port] of [second, first, second, first].entries()) {
        await reload(proxy, stage.config(settings(port)));
        await until('the move is seen', () => moves > index, 30_000, 5);
      }
      stopped = true;
      await watch;
      expect({ moves, gaps }).toEqual({ moves: 4, gaps: 0 });
    });
  }

  scenario('a request that takes long, and one that waits for a start, outlast a reload', async (stage) => {
    const app = await stage.app('app');
    const slow = await stage.app('slow', { mimic: { LISTEN_GATE: 'start' } });
    const proxy = await stage.proxy({ apps: [app, slow] });
    await proxy.request({ host: app.host });
    const long = proxy.request({ host: app.host, path: '/?gate=answer' });
    const held = proxy.request({ host: slow.host });
    await until('one is under way', () => app.log.events('begin').length === 2);
    await until('one is held', async () => (await proxy.metric('pilotlight_held', { service: slow.name })) === 1);
    await reload(proxy, stage.config({ apps: [app, slow], config: { trustedProxies: ['10.0.0.1'] } }));
    app.open('answer');
    slow.open('start');
    expect((await long).status).toBe(200);
    expect((await held).status).toBe(200);
    expect(slow.log.boots()).toHaveLength(1);
  });
});

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
