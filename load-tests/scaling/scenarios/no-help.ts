import { constant, exponential } from '../../../src/simulate/service-time.ts';
import { killIfAlive } from '../../../test/support/marked-processes.ts';
import { pause } from '../../../test/support/raw-client.ts';
import { lastReplicas, mostReplicas, starts } from '../checks.ts';
import type { ScalingScenario } from '../scenario.ts';
import { serviceOf, steps } from './models.ts';

/** How long an app stands still, ms. */
const HICCUP_MS = 2000;

/** What more replicas are no remedy for, or no longer. */
export const noHelp: readonly ScalingScenario[] = [
  {
    name: 'lock',
    shows: 'behind a shared lock one more is tried, undone, and not tried again soon',
    asked: '40 rps; all replicas together do 33',
    seconds: 300,
    services: [
      serviceOf(
        { serviceTime: constant(1), slots: 20, shared: { connections: 1, serviceTime: exponential(30) } },
        steps([0, 10], [10, 40]),
      ),
    ],
    checks: [starts(2, 1), mostReplicas(2), lastReplicas(1)],
  },
  {
    name: 'slow failures',
    shows: 'slow failures are no reason for more replicas',
    asked: '20 rps, half of them answered 500 after 2 s',
    seconds: 180,
    services: [
      serviceOf(
        { serviceTime: exponential(20), slots: 100, errors: { share: 0.5, serviceTime: constant(2000) } },
        steps([0, 20]),
      ),
    ],
    checks: [starts(0)],
  },
  {
    name: 'slow answers',
    shows: 'what always takes long is seen to be no better with one more',
    asked: '30 rps of constant 400 ms, where 300 ms are wanted',
    seconds: 240,
    services: [
      serviceOf({ serviceTime: constant(400), slots: 100 }, steps([0, 30]), { scale: { latency: { above: '300ms' } } }),
    ],
    checks: [starts(2), mostReplicas(2), lastReplicas(1)],
  },
  {
    name: 'pause',
    shows: 'a pause of the app, as for its memory, changes nothing for good',
    asked: '30 rps of 20 ms; the process stands still for 2 s',
    seconds: 480,
    services: [
      serviceOf(
        {
          serviceTime: exponential(20),
          slots: 8,
          later: [
            { fromMs: 30_000, serviceTime: constant(HICCUP_MS) },
            { fromMs: 30_000 + HICCUP_MS, serviceTime: exponential(20) },
          ],
        },
        steps([0, 30]),
      ),
    ],
    meanwhile: async ({ apps, reached }) => {
      await reached(30_000);
      const pid = apps[0]?.log.events('boot')[0]?.pid ?? 0;
      killIfAlive(pid, 'SIGSTOP');
      await pause(HICCUP_MS);
      killIfAlive(pid, 'SIGCONT');
    },
    checks: [starts(1), lastReplicas(1)],
  },
  {
    name: 'dearer',
    shows: 'when requests become dearer, what cheap ones showed is not held against them',
    asked: '200 rps of 1 ms, then 90 of 20 ms',
    seconds: 420,
    services: [
      serviceOf(
        { serviceTime: exponential(1), slots: 1, later: [{ fromMs: 60_000, serviceTime: exponential(20) }] },
        steps([0, 200], [60, 90]),
      ),
    ],
    checks: [starts(3, 1), mostReplicas(4, 2), lastReplicas(4, 2)],
  },
];
