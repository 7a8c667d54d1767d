import type { Decision } from '../../../src/model/decision.ts';
import { LOAD_BEGINS_MS, type Outcome } from '../../../src/simulate/outcome.ts';

/** What came of two seconds of `policy`, with a decision whose reason is `reason`. */
export function outcomeOf(policy: string, reason = 'p95 900 ms over 500 ms'): Outcome {
  const point = { arrivals: 10, answered: 9, shed: 1, errors: 0, lost: 0, starting: 0, retiring: 0, inFlight: 1 };
  const decision: Decision = {
    id: '1',
    at: new Date(LOAD_BEGINS_MS + 1500).toISOString(),
    service: 'app',
    kind: 'latency',
    action: 'scale-up',
    from: 1,
    to: 2,
    reason,
    inputs: {},
    verdicts: [{ guard: 'samples', verdict: 'pass', detail: '40 of 20' }],
    dryRun: false,
    outcome: null,
  };
  return {
    policy,
    seed: 1,
    services: [
      {
        service: 'app',
        starts: 1,
        failedStarts: 0,
        stops: 0,
        replicaSeconds: 3.2,
        mostReplicas: 2,
        lastReplicas: 2,
        secondsOver: 1,
        arrivals: 20,
        answered: 18,
        shed: 2,
        errors: 0,
        lost: 0,
        series: [
          { ...point, second: 0, ready: 1, queued: 3, p50Ms: 100, p95Ms: 900, aboveMs: 500 },
          { ...point, second: 1, ready: 2, queued: 0, p50Ms: undefined, p95Ms: undefined, aboveMs: 500 },
        ],
        decisions: [decision],
      },
    ],
  };
}
