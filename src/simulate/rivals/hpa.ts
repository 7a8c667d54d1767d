import type { Rival, RivalSample } from '../policy.ts';

const SYNC_MS = 15_000;
const TOLERANCE = 0.1;
const DOWN_WINDOW_MS = 300_000;
const UP_PERIOD_MS = 15_000;
const UP_PODS = 4;
const UP_FACTOR = 2;

/**
 * Kubernetes' horizontal autoscaler with its default behaviour, on the quantile of the latency over the threshold.
 * It does nothing without the metric, and never goes below one replica.
 */
export function hpa(): Rival {
  return {
    name: 'hpa',
    everyMs: SYNC_MS,
    create() {
      let recommended: { atMs: number; replicas: number }[] = [];
      let added: { atMs: number; replicas: number }[] = [];

      return {
        decide({ nowMs, ready, starting, quantileMs, aboveMs, min, max }: RivalSample) {
          const current = ready + starting;
          const held = (wanted: number) => Math.min(max, Math.max(min, 1, wanted));
          if (recommended.length === 0) recommended.push({ atMs: nowMs, replicas: current });
          if (quantileMs === undefined) return held(current);

          const ratio = quantileMs / aboveMs;
          const wanted = held(Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(ratio * ready));
          recommended = recommended.filter(({ atMs }) => atMs > nowMs - DOWN_WINDOW_MS);
          recommended.push({ atMs: nowMs, replicas: wanted });
          const highest = Math.max(...recommended.map(({ replicas }) => replicas));
          const stabilised = wanted > current ? wanted : Math.min(current, highest);

          added = added.filter(({ atMs }) => atMs > nowMs - UP_PERIOD_MS);
          const before = current - added.reduce((sum, { replicas }) => sum + replicas, 0);
          const limit = Math.max(before + UP_PODS, before * UP_FACTOR, current);
          const decided = held(Math.min(stabilised, limit));
          if (decided > current) added.push({ atMs: nowMs, replicas: decided - current });
          return decided;
        },
      };
    },
  };
}
