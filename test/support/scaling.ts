import type { DecisionEntry, ServiceWhy } from '../../src/model/decision.ts';
import type { RunningProxy } from './proxy.ts';

/**
 * The guards' constants, shrunk so that a scenario lasts seconds. Times of apps are long beside them, and requests few:
 * what a busy machine adds to each is little then.
 */
export const QUICK_GUARDS = {
  ticks: 3,
  stepUpEvery: '5s',
  warmUp: '1s',
  minSamples: 20,
  benefitSamples: 60,
  noBenefit: '6s',
  benefitPatience: '10s',
  downWindow: '6s',
  downTrial: '4s',
  stepDownEvery: '2s',
  surplus: '6s',
} as const;

/** A service that never sleeps, with one replica at least and six at most. */
export function quickScale(above: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const latency = { above, window: '5s' };
  return { min: 1, max: 6, idle: 'never', latency, guards: QUICK_GUARDS, ...change };
}

/** What was decided about a service, in order. */
export async function decisionsOf(proxy: RunningProxy, service: string): Promise<DecisionEntry[]> {
  return ((await (await proxy.admin(`/v1/services/${service}/why`)).json()) as ServiceWhy).decisions;
}

/** What came of its increases, as far as it is known. */
export async function outcomesOf(proxy: RunningProxy, service: string): Promise<string[]> {
  const decisions = await decisionsOf(proxy, service);
  return decisions.flatMap((entry) =>
    entry.action === 'scale-up' && entry.outcome !== null ? entry.outcome.text : [],
  );
}

/** Its replicas that may get requests. */
export async function readyReplicas(proxy: RunningProxy, service: string): Promise<number> {
  return (await proxy.service(service)).replicas.filter(({ state }) => state === 'ready').length;
}
