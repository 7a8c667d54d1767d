import type { GuardVerdict } from '../../model/decision.ts';
import { neededForRate } from './demand.ts';
import { capacityOf, knownRate, type Proposal, type ScaleInputs } from './scale-inputs.ts';

/** What a guard says: the most (or, downwards, the least) that it lets the proposal become. */
interface Judgement {
  verdict: GuardVerdict['verdict'];
  /** The replica count that it allows; the proposal's `from` when it blocks. */
  to: number;
  detail: string;
}

/** A reason not to follow a proposal, or not all the way. Pure: a decision can be made again from its inputs. */
interface Guard {
  name: string;
  /** The proposals that it is asked about. */
  kinds: readonly Proposal['kind'][];
  judge(proposal: Proposal, inputs: ScaleInputs): Judgement;
}

const pass = ({ to }: Proposal, detail: string): Judgement => ({ verdict: 'pass', to, detail });
const block = ({ from }: Proposal, detail: string): Judgement => ({ verdict: 'block', to: from, detail });

/** Passes, limits or blocks an increase by the most that may be had. */
function atMost(proposal: Proposal, most: number, detail: string): Judgement {
  if (most >= proposal.to) return pass(proposal, detail);
  return most > proposal.from ? { verdict: 'limit', to: most, detail } : block(proposal, detail);
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;

const cooldown: Guard = {
  name: 'cooldown',
  kinds: ['concurrency', 'latency', 'down'],
  judge: (proposal, { cooldownLeftMs }) =>
    cooldownLeftMs > 0
      ? block(proposal, `changed by hand, left alone for ${seconds(cooldownLeftMs)} more`)
      : pass(proposal, 'no change by hand lately'),
};

const samples: Guard = {
  name: 'samples',
  kinds: ['latency', 'down'],
  judge(proposal, { samples: count, minSamples, windowMs }) {
    const detail = `${count} samples in ${seconds(windowMs)}, ${minSamples} needed`;
    return count < minSamples ? block(proposal, detail) : pass(proposal, detail);
  },
};

const signal: Guard = {
  name: 'signal',
  kinds: ['latency'],
  judge(proposal, { overTicks, ticks }) {
    const detail = `over the threshold for ${overTicks} of ${ticks} ticks in a row`;
    return overTicks < ticks ? block(proposal, detail) : pass(proposal, detail);
  },
};

/** More completions than arrivals: what is slow are requests of a queue that is being worked off already. */
const backlog: Guard = {
  name: 'backlog',
  kinds: ['latency'],
  judge(proposal, { windowArrivals, windowCompletions }) {
    const detail = `${windowArrivals} arrived and ${windowCompletions} were answered in the window`;
    // A difference that small is what happened to be in flight at either end.
    const draining = windowCompletions - windowArrivals > Math.max(1, 0.01 * windowArrivals);
    return draining ? block(proposal, `${detail}: a backlog is draining`) : pass(proposal, detail);
  },
};

const step: Guard = {
  name: 'step',
  kinds: ['latency', 'down'],
  judge(proposal, inputs) {
    const { sinceUpMs, sinceChangeMs, stepUpEveryMs, stepDownEveryMs } = inputs;
    if (proposal.kind === 'down') return waited(proposal, sinceChangeMs, stepDownEveryMs);
    const soon = waited(proposal, sinceUpMs, stepUpEveryMs);
    if (soon.verdict === 'block') return soon;
    const most = proposal.from + Math.max(1, Math.floor(proposal.from * inputs.stepUp));
    return atMost(proposal, most, `at most ${most} in one step from ${proposal.from}`);
  },
};

function waited(proposal: Proposal, sinceMs: number | undefined, everyMs: number): Judgement {
  if (sinceMs === undefined) return pass(proposal, 'no change before');
  const detail = `last change ${seconds(sinceMs)} ago, ${seconds(everyMs)} apart`;
  return sinceMs < everyMs ? block(proposal, detail) : pass(proposal, detail);
}

const flaps: Guard = {
  name: 'flaps',
  kinds: ['down'],
  judge(proposal, { flapTokens }) {
    const detail = `${flapTokens.toFixed(1)} tokens, a scale-down costs 1`;
    return flapTokens < 1 ? block(proposal, detail) : pass(proposal, detail);
  },
};

const budget: Guard = {
  name: 'budget',
  kinds: ['concurrency', 'latency'],
  judge(proposal, { max, budgetLeft }) {
    const most = Math.min(max, proposal.from + budgetLeft);
    return atMost(proposal, most, `max ${max}, ${budgetLeft} more within the budget of all services`);
  },
};

const failures: Guard = {
  name: 'failures',
  kinds: ['concurrency', 'latency'],
  judge(proposal, inputs) {
    const { startsAllowed, starting, warming, arrivalsPerSecond, utilisation } = inputs;
    if (startsAllowed !== undefined && startsAllowed < proposal.to - proposal.from) {
      const detail = `${startsAllowed} starts allowed after failures`;
      return atMost(proposal, proposal.from + startsAllowed, detail);
    }
    const young = starting + warming;
    if (proposal.kind === 'concurrency' || young === 0)
      return pass(proposal, `${starting} starting, ${warming} warming`);
    // What was added a moment ago has not shown yet what it does: only a need by numbers goes beyond it.
    const need = neededForRate(arrivalsPerSecond, knownRate(inputs), utilisation);
    const capacity = capacityOf(inputs);
    const known = need === 0 ? 'what arrivals need is not known yet' : `arrivals need ${need}`;
    return atMost(proposal, need, `${young} of ${capacity} replicas are new and count as capacity; ${known}`);
  },
};

/** Every guard, in the order in which they are asked and logged. A new one is one more line. */
const guards: readonly Guard[] = [cooldown, samples, signal, backlog, step, flaps, budget, failures];

/** Asks every guard about a proposal. The most cautious answer counts; `from` means: not at all. */
export function judge(proposal: Proposal, inputs: ScaleInputs): { to: number; verdicts: GuardVerdict[] } {
  let to = proposal.to;
  const verdicts: GuardVerdict[] = [];
  for (const guard of guards) {
    if (!guard.kinds.includes(proposal.kind)) continue;
    const { verdict, detail, to: allowed } = guard.judge(proposal, inputs);
    verdicts.push({ guard: guard.name, verdict, detail });
    if (verdict === 'block') to = proposal.from;
    else if (verdict === 'limit' && to !== proposal.from) to = Math.min(to, allowed);
  }
  return { to, verdicts };
}
