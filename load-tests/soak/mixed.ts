import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { killMarked } from '../../test/support/marked-processes.ts';
import { RunningProxy } from '../../test/support/proxy.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { AccessTrail } from './access-trail.ts';
import { censusEnv } from './census.ts';
import { Crowd } from './crowd.ts';
import { Disturber } from './disturber.ts';
import { Ledger } from './ledger.ts';
import { quietHoldings } from './quiet.ts';
import { Random } from './random.ts';
import type { SoakReport } from './report.ts';
import { accessLogOf, HABITS, townConfig } from './town.ts';
import { explain } from './verdict.ts';

export interface SoakOptions {
  minutes: number;
  /** Worker processes of the proxy. */
  workers: number;
  /** Decides who does what; not when, which is up to the machine. */
  seed: number;
  /** Told how things stand, once a minute. */
  onProgress?: (line: string) => void;
}

/** No engine answers here: what runs in a soak are processes. */
export const NO_DOCKER = '/dev/null';
/** Traffic before memory is looked at for the first time, at most, ms: compilers and caches fill meanwhile. */
const WARM_UP_MS = 60_000;
const MINUTE_MS = 60_000;

/** Lets a town of services live with the proxy for so long, and tells what became of every request. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const workspace = await makeWorkspace(NO_DOCKER);
  try {
    return await play(options, workspace);
  } finally {
    killMarked(workspace.mark);
    await rm(workspace.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function play({ minutes, workers, seed, onProgress }: SoakOptions, workspace: Workspace): Promise<SoakReport> {
  const census = join(workspace.folder, 'census');
  const config = await townConfig(workspace, workers, { generation: 0 });
  const proxy = await (await RunningProxy.launch({ workspace, config, env: censusEnv(census) })).ready();
  const ledger = new Ledger();
  const trail = new AccessTrail(accessLogOf(workspace));
  const disturber = new Disturber({ proxy, workspace, workers, trail, random: new Random(seed) });

  const bustle = async (ms: number, shift: number): Promise<void> => {
    const crowd = new Crowd(HABITS, { port: proxy.port, seed: seed + shift, ledger });
    await disturber.run(ms);
    await crowd.sendHome();
    await disturber.restore();
  };
  const duration = minutes * MINUTE_MS;
  const warmUp = Math.min(WARM_UP_MS, 0.3 * duration);
  await bustle(warmUp, 0);
  const before = await quietHoldings(proxy, workspace, census);
  const telling = setInterval(() => onProgress?.(standing(ledger, proxy)), MINUTE_MS);
  await bustle(duration - warmUp, 1).finally(() => clearInterval(telling));
  const after = await quietHoldings(proxy, workspace, census, before);
  await proxy.stop();
  trail.follow();

  const failures = ledger.failures.map((failure) => ({
    ...failure,
    endpoint: trail.traceOf(failure.id)?.endpoint ?? null,
    explanation: explain(failure, trail.traceOf(failure.id), disturber.kills),
  }));
  const { counts: disturbances, events } = disturber;
  return {
    byKind: Object.fromEntries(ledger.byKind),
    total: ledger.total,
    failures,
    disturbances,
    events,
    before,
    after,
  };
}

function standing(ledger: Ledger, proxy: RunningProxy): string {
  const { sent, answered, aborted, failed } = ledger.total;
  const resident = (proxy.residentBytes() / 2 ** 20).toFixed(0);
  return `${sent} sent, ${answered} answered, ${aborted} aborted, ${failed} failed; ${resident} MiB RSS`;
}
