import { makeApp } from '../../test/support/app.ts';
import { PacedLoad, type Sample } from '../../test/support/paced-load.ts';
import { RunningProxy } from '../../test/support/proxy.ts';
import { until } from '../../test/support/until.ts';
import type { Workspace } from '../../test/support/workspace.ts';
import { censusEnv, type Holdings } from './census.ts';
import { inOwnWorkspace } from './own-workspace.ts';
import { quietHoldings } from './quiet.ts';

interface CycleOptions {
  /** Sleep/wake cycles. */
  cycles: number;
  workers: number;
  /** Told how many cycles are done. */
  onProgress?: (line: string) => void;
}

interface CycleReport {
  /** Starts that requests waited for. */
  starts: number;
  sent: number;
  /** Requests without a right answer. */
  lost: Sample[];
  before: Holdings;
  after: Holdings;
}

/** Requests per second: a gap of 200 ms, in which the service falls asleep. */
const RATE = 5;
const IDLE = '50ms';
/** Cycles before memory is looked at for the first time. */
const WARM_UP = 20;
/** Without another cycle for so long something hangs, ms. */
const STUCK_MS = 60_000;

/** Sends a steady load to a service that falls asleep between any two requests, until it was woken so often. */
export function cycleSleep(options: CycleOptions): Promise<CycleReport> {
  return inOwnWorkspace((workspace) => play(options, workspace));
}

async function play({ cycles, workers, onProgress }: CycleOptions, workspace: Workspace): Promise<CycleReport> {
  const app = await makeApp(workspace, 'sleepy', {
    mimic: { LOG: '/dev/null' },
    service: { ready: { path: '/', timeout: '60s' }, hold: { timeout: '90s' }, scale: { max: 1, idle: IDLE } },
  });
  const config = { workers, services: { [app.name]: app.service } };
  const proxy = await (await RunningProxy.launch({ workspace, config, env: censusEnv(workspace) })).ready();
  const starts = () => proxy.metric('pilotlight_cold_starts_total', { service: app.name });
  const samples: Sample[] = [];
  const cycle = async (upTo: number): Promise<void> => {
    const load = PacedLoad.start({ port: proxy.port, host: app.host, rate: RATE });
    for (let done = await starts(); done < upTo; ) {
      const last = done;
      const another = async (): Promise<boolean> => {
        done = await starts();
        return done > last;
      };
      await until('another cycle', another, STUCK_MS, 200);
      if (done % 100 < last % 100) onProgress?.(`${done} cycles`);
    }
    samples.push(...(await load.stop()));
  };
  await cycle(Math.min(WARM_UP, cycles));
  const before = await quietHoldings(proxy, workspace);
  await cycle(cycles);
  const after = await quietHoldings(proxy, workspace, before);
  const total = await starts();
  await proxy.stop();
  return { starts: total, sent: samples.length, lost: samples.filter(({ status }) => status !== 200), before, after };
}
