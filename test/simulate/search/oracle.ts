import type { ServiceOutcome } from '../../../src/simulate/outcome.ts';
import { fixed } from '../../../src/simulate/rivals/fixed.ts';
import { type Case, outcomeOf } from './case.ts';

/** What so many replicas come to under a load that stays as it is, whoever decides. */
export interface Steady {
  replicas: number;
  /** Share of the seconds with the quantile over the threshold, 0 to 1. */
  over: number;
  /** … over half of it: where there are none, nobody has a reason to keep more. */
  notCalm: number;
}

/** For so long each number of replicas is watched, after so long in which it settles, s. */
const WATCHED_SECONDS = 420;
const SETTLING_SECONDS = 60;

/**
 * Every number of replicas under a constant load, from `least` up to the first with which the service is calm all the
 * time (or `most`).
 */
export function steadyStates(of: Case, perSecond: number, least: number, most: number): Promise<Steady[]> {
  return states({ ...of, load: `constant:${perSecond}` }, least, most);
}

/** The same where as many clients go on. */
export function closedStates(of: Case, most: number): Promise<Steady[]> {
  return states(of, 1, most);
}

async function states(of: Case, least: number, most: number): Promise<Steady[]> {
  const found: Steady[] = [];
  for (let replicas = Math.max(1, least); replicas <= most; replicas++) {
    const still = { ...of, running: replicas, seconds: SETTLING_SECONDS + WATCHED_SECONDS, seed: of.seed + 1 };
    const state = stateOf(await outcomeOf(still, fixed(replicas)), replicas);
    found.push(state);
    if (state.notCalm === 0) break;
  }
  return found;
}

function stateOf({ series }: ServiceOutcome, replicas: number): Steady {
  const watched = series.slice(SETTLING_SECONDS);
  const share = (of: number) =>
    watched.filter(({ p95Ms = 0, aboveMs, shed, arrivals }) => p95Ms > of * aboveMs || shed > 0.05 * arrivals).length /
    watched.length;
  return { replicas, over: share(1), notCalm: share(0.5) };
}
