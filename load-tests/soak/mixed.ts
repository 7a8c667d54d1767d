import { RunningProxy } from '../../test/support/proxy.ts';
import type { Workspace } from '../../test/support/workspace.ts';
import { AccessTrail } from './access-trail.ts';
import { censusEnv } from './census.ts';
import { Crowd } from './crowd.ts';
import { Disturber } from './disturber.ts';
import { Ledger } from './ledger.ts';
import { inOwnWorkspace } from './own-workspace.ts';
import { quietHoldings } from './quiet.ts';
import { Random } from './random.ts';
import type { SoakReport } from './report.ts';
import { accessLogOf, HABITS, townConfig } from './town.ts';
import { explain } from './verdict.ts';

interface SoakOptions {
  minutes: number;
  /** Worker processes of the proxy. */
  workers: number;
  /** Decides who does what; not when, which is up to the machine. */
  seed: number;
  /** Told how things stand, once a minute. */
  onProgress?: (line: string) => void;
}

/** Traffic before memory is looked at for the first time, at most, ms: compilers and caches fill meanwhile. */
const WARM_UP_MS = 60_000;
const MINUTE_MS = 60_000;

/** Lets a town of services live with the proxy for so long, and tells what became of every request. */
export function soak(options: SoakOptions): Promise<SoakReport> {
  return inOwnWorkspace((workspace) => play(options, workspace));
}

async function play({ minutes, workers, seed, onProgress }: SoakOptions, workspace: Workspace): Promise<SoakReport> {
  const config = await townConfig(workspace, workers, { generation: 0 });
  const proxy = await (await RunningProxy.launch({ workspace, config, env: censusEnv(workspace) })).ready();
  const ledger = new Ledger();
  const trail = new AccessTrail(accessLogOf(workspace));
  const disturber = new Disturber({ proxy, workspace, workers, trail, random: new Random(seed) });

  const bustle = async (ms: number, shift: number): Promise<void> => {
    const crowd = new Crowd(HABITS, { port: proxy.port, seed: seed + shift, ledger });
    await disturber.run(ms).finally(() => crowd.sendHome());
    await disturber.restore();
  };
  const duration = minutes * MINUTE_MS;
  const warmUp = Math.min(WARM_UP_MS, 0.3 * duration);
  await bustle(warmUp, 0);
  const before = await quietHoldings(proxy, workspace);
  const telling = setInterval(() => onProgress?.(standing(ledger, proxy)), MINUTE_MS);
  await bustle(duration - warmUp, 1).finally(() => clearInterval(telling));
  const after = await quietHoldings(proxy, workspace, before);
  await proxy.stop();
  trail.follow();

  const failures = ledger.failures.map((failure) => {
    const trace = trail.traceOf(failure.id);
    return { ...failure, endpoint: trace?.endpoint ?? null, explanation: explain(failure, trace, disturber.kills) };
  });
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
