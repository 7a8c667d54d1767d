import type { RunningProxy } from '../../test/support/proxy.ts';
import { pause } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import type { Workspace } from '../../test/support/workspace.ts';
import { type Holdings, takeCensus } from './census.ts';

/** How long all may take to become quiet, ms. */
const QUIET_MS = 120_000;
/** How long what is left over may take to go, ms: idle upstream connections, timers of what was under way. */
const FADE_MS = 60_000;
/** Between two censuses, ms; and how many in a row show nothing less where nothing fades any more. */
const STEP_MS = 2000;
const STEPS = 4;

/**
 * Puts every service to sleep, waits until nothing is in flight and no replica runs, and says what is still held once
 * there is no more of anything countable than `before`; without that, once it does not become less.
 */
export async function quietHoldings(proxy: RunningProxy, workspace: Workspace, before?: Holdings): Promise<Holdings> {
  await until('everything sleeps', () => sleeps(proxy), QUIET_MS, 500);
  const deadline = performance.now() + FADE_MS;
  let last = await takeCensus(proxy, workspace);
  let steady = 0;
  const isDone = () => (before === undefined ? steady === STEPS : !isMore(last, before));
  while (!isDone() && performance.now() < deadline) {
    await pause(STEP_MS);
    const now = await takeCensus(proxy, workspace);
    steady = isMore(last, now) ? 0 : steady + 1;
    last = now;
  }
  return last;
}

/** Whether there is more of what can be counted. */
function isMore(now: Holdings, before: Holdings): boolean {
  return now.processes > before.processes || now.sockets > before.sockets || now.timers > before.timers;
}

async function sleeps(proxy: RunningProxy): Promise<boolean> {
  const awake = (await proxy.services()).filter(
    ({ state, replicas, inFlight, held }) => state !== 'asleep' || replicas.some(isAlive) || inFlight + held > 0,
  );
  for (const { name } of awake) await proxy.sleep(name);
  return awake.length === 0;
}

const isAlive = ({ address }: { address: string | null }): boolean => address !== null;
