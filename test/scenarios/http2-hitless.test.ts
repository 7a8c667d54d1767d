import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { Http2Load } from '../support/http2-load.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { isAlive } from '../support/remains.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** Requests that have to be answered between two changes: each client's turns, several times. */
const BETWEEN = 200;

/** With several processes, by TLS. */
const WORKERS = [1, 2];

interface Play {
  proxy: RunningProxy;
  load: Http2Load;
  /** Writes a configuration that differs by its round, and waits until it is served. */
  reload(round: number): Promise<void>;
  /** Waits until so many more requests were answered. */
  goOn(): Promise<void>;
  boots(): number;
}

async function play(stage: Stage, workers: number): Promise<Play> {
  const port = await freePort();
  const isSecure = workers > 1;
  const tls = isSecure ? { tls: { certificates: [certificateIn(stage.workspace.folder)] } } : {};
  // Slowness of a busy machine is no matter here.
  const service = { timeouts: { drain: '20s' }, scale: { max: 1 } };
  const app = await stage.app('app', { mimic: { LATENCY_MS: 3 }, service });
  const settings = (round: number) => ({
    apps: [app],
    config: {
      workers,
      budget: { heldBytes: `${64 + round}MiB` },
      listen: [{ address: `127.0.0.1:${port}`, http2: true, limits: { http2: { streams: 100 + round } }, ...tls }],
    },
  });
  const proxy = await stage.proxy(settings(0));
  const load = new Http2Load(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, app.host, 6, 8);
  return {
    proxy,
    load,
    async reload(round) {
      await proxy.reload(stage.config(settings(round)));
      await proxy.untilTold('reloaded', round);
    },
    async goOn() {
      const from = load.answered;
      await until('more answers', () => load.answered >= from + BETWEEN, 120_000);
    },
    boots: () => app.log.boots().length,
  };
}

/** A certificate and its key in a folder. */
function certificateIn(folder: string): { cert: string; key: string } {
  const { cert, key } = makeCertificate();
  const files = { cert: join(folder, 'site.pem'), key: join(folder, 'site.key') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

describe.concurrent('clients of HTTP/2 lose no request', () => {
  for (const workers of WORKERS) {
    scenario(`in reloads, with ${workers} process(es), nor their connections`, async (stage) => {
      const { load, goOn, reload, boots } = await play(stage, workers);
      for (let round = 1; round <= 5; round++) {
        await goOn();
        await reload(round);
      }
      await goOn();
      const { failures, sentAgain, connections, goaways } = await load.stop();
      expect(failures).toEqual([]);
      expect({ sentAgain, connections, goaways }).toEqual({ sentAgain: 0, connections: 6, goaways: 0 });
      expect(boots()).toBe(1);
    });

    scenario(`in upgrades, with ${workers} process(es), and are told to leave`, async (stage) => {
      const { proxy, load, goOn, boots } = await play(stage, workers);
      for (let round = 0; round < 3; round++) {
        await goOn();
        const before = proxy.pid;
        proxy.signal('SIGUSR2');
        await until('the old process has ended', () => proxy.pid !== before && !isAlive(before), 120_000, 10);
      }
      await goOn();
      const { failures, goaways } = await load.stop();
      expect(failures).toEqual([]);
      expect(goaways).toBeGreaterThanOrEqual(3);
      expect(boots()).toBe(1);
    });
  }
});
