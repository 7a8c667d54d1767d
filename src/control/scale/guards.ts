import type { GuardVerdict } from '../../model/decision.ts';
import { counted, percent, rate } from '../../util/format.ts';
import { budgetText, memoryText } from './budget-text.ts';
import {
  backlogOf,
  isDraining,
  isFarMore,
  isSaturated,
  isShort,
  type Proposal,
  type ProposalKind,
  roomIn,
  type ScaleInputs,
} from './scale-inputs.ts';

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
  kinds: readonly ProposalKind[];
  judge(proposal: Proposal, inputs: ScaleInputs): Judgement;
}

const UP: readonly ProposalKind[] = ['latency', 'shed', 'concurrency', 'growth'];
const ALL: readonly ProposalKind[] = [...UP, 'undo', 'restore', 'down'];

const pass = ({ to }: Proposal, detail: string): Judgement => ({ verdict: 'pass', to, detail });
const block = ({ from }: Proposal, detail: string): Judgement => ({ verdict: 'block', to: from, detail });
const blockIf = (condition: boolean, proposal: Proposal, detail: string) =>
  condition ? block(proposal, detail) : pass(proposal, detail);

/** Passes, limits or blocks an increase by the most that may be had. */
function atMost(proposal: Proposal, most: number, detail: string): Judgement {
  if (most >= proposal.to) return pass(proposal, detail);
  return most > proposal.from ? { verdict: 'limit', to: most, detail } : block(proposal, detail);
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;

const freeze: Guard = {
  name: 'freeze',
  kinds: ALL,
  judge: (proposal, { frozen }) => blockIf(frozen === 1, proposal, frozen === 1 ? 'frozen by hand' : 'not frozen'),
};

const cooldown: Guard = {
  name: 'cooldown',
  kinds: ALL,
  judge: (proposal, { cooldownLeftMs }) =>
    cooldownLeftMs > 0
      ? block(proposal, `changed by hand, left alone for ${seconds(cooldownLeftMs)} more`)
      : pass(proposal, 'no change by hand lately'),
};

const samples: Guard = {
  name: 'samples',
  kinds: ['latency', 'down'],
  judge(proposal, inputs) {
    const { samples: count, minSamples, windowMs } = inputs;
    if (inputs.sessions === 1) return pass(proposal, 'sessions are counted');
    const detail = `${counted(count, 'sample')} in ${seconds(windowMs)}, ${minSamples} needed`;
    return blockIf(count < minSamples && !isSaturated(inputs), proposal, detail);
  },
};

/** A service that fails is not slow for lack of replicas. */
const errors: Guard = {
  name: 'errors',
  kinds: UP,
  judge(proposal, inputs) {
    const { errorsShare, errorsLimit } = inputs;
    const detail = `${percent(errorsShare)} % of requests fail, ${percent(errorsLimit)} % at most`;
    return blockIf(errorsShare > errorsLimit && !isSaturated(inputs), proposal, detail);
  },
};

/** A service that answers less than this share of what arrives may be stuck for a moment. */
const STUCK = 0.2;

/**
 * A look less is enough where what waits takes longer than that to be answered: no chance makes so much. Not where it
 * waited for a service that failed, or stood still.
 */
function isOverwhelmed(inputs: ScaleInputs, backlog: number): boolean {
  const { saturatedTicks, goodPerSecond, latelyPerSecond, errorsShare, errorsLimit } = inputs;
  const isAtWork = goodPerSecond > STUCK * latelyPerSecond && errorsShare <= errorsLimit;
  return isAtWork && backlog > saturatedTicks * goodPerSecond;
}

const signal: Guard = {
  name: 'signal',
  kinds: ['latency', 'shed'],
  judge(proposal, inputs) {
    const { overTicks, saturatedTicks, ticks } = inputs;
    const backlog = backlogOf(inputs);
    if (saturatedTicks > 1 && saturatedTicks === ticks - 1 && isOverwhelmed(inputs, backlog))
      return pass(proposal, `saturated, and ${Math.round(backlog)} that wait take more than ${saturatedTicks} s`);
    const [stood, what] = isSaturated(inputs) ? [saturatedTicks, 'saturated'] : [overTicks, 'over the threshold'];
    return blockIf(stood < ticks, proposal, `${what} for ${stood} of ${ticks} ticks in a row`);
  },
};

/** A backlog that takes so many times as long as it may is not worked off soon. */
const TOO_LONG = 3;

/** A backlog is worked off, but for long, where more replicas would do it sooner. */
function isDrainedTooLate(inputs: ScaleInputs): boolean {
  const { helps, goodPerSecond, latelyPerSecond, backlogMs, aboveMs } = inputs;
  if (helps === 0 || !isSaturated(inputs)) return false;
  const waiting = backlogOf(inputs) * 1000;
  return waiting > goodPerSecond * aboveMs && waiting > TOO_LONG * backlogMs * (goodPerSecond - latelyPerSecond);
}

/** More answers than arrivals: what is slow are requests of a queue that is being worked off already. */
const backlog: Guard = {
  name: 'backlog',
  kinds: ['latency', 'concurrency'],
  judge(proposal, inputs) {
    const detail = `${rate(inputs.latelyPerSecond)}/s arrive, ${rate(inputs.goodPerSecond)}/s are answered`;
    if (!isDraining(inputs)) return pass(proposal, detail);
    if (isDrainedTooLate(inputs))
      return pass(proposal, `${detail}: too little for the ${Math.round(backlogOf(inputs))} that wait`);
    return block(proposal, `${detail}: a backlog is draining`);
  },
};

const benefit: Guard = {
  name: 'benefit',
  kinds: UP,
  judge(proposal, inputs) {
    const { trial, trialFrom, trialTo, freezeLeftMs, freezePerSecond, freezeLiftPerSecond, arrivalsPerSecond } = inputs;
    if (trial === 1 || trial === 2) return block(proposal, `${trialFrom}→${trialTo} has to show first that it helps`);
    if (freezeLeftMs <= 0) return pass(proposal, 'no increase without benefit lately');
    const lift = freezeLiftPerSecond;
    if (isFarMore(inputs))
      return pass(
        proposal,
        `the last one did not help, at ${rate(freezePerSecond)}/s; ${rate(arrivalsPerSecond)}/s now`,
      );
    return block(proposal, `the last one did not help: no other for ${seconds(freezeLeftMs)}, or at ${rate(lift)}/s`);
  },
};

const step: Guard = {
  name: 'step',
  kinds: ['latency', 'growth', 'down'],
  judge(proposal, inputs) {
    const { sinceUpMs, sinceChangeMs, stepUpEveryMs, stepDownEveryMs } = inputs;
    if (proposal.kind === 'down') return waited(proposal, sinceChangeMs, stepDownEveryMs);
    if (proposal.kind === 'growth') return waited(proposal, sinceUpMs, stepUpEveryMs);
    if (isSaturated(inputs)) return pass(proposal, 'saturated: as soon as the last one has proved itself');
    if (isShort(inputs, proposal.from)) return pass(proposal, 'more arrives than they are known to do');
    return waited(proposal, sinceUpMs, stepUpEveryMs);
  },
};

function waited(proposal: Proposal, sinceMs: number | undefined, everyMs: number): Judgement {
  if (sinceMs === undefined) return pass(proposal, 'no change before');
  return blockIf(sinceMs < everyMs, proposal, `last change ${seconds(sinceMs)} ago, ${seconds(everyMs)} apart`);
}

/** What was revoked a moment ago is not tried again and again. */
const retry: Guard = {
  name: 'retry',
  kinds: ['down'],
  judge: (proposal, { downWaitMs }) =>
    downWaitMs > 0
      ? block(proposal, `so few were too few a while ago: next try in ${seconds(downWaitMs)}`)
      : pass(proposal, 'no decrease was revoked lately'),
};

const flaps: Guard = {
  name: 'flaps',
  kinds: ['down'],
  judge: (proposal, { flapTokens }) =>
    blockIf(flapTokens < 1, proposal, `${flapTokens.toFixed(1)} increases may follow a decrease soon`),
};

const budget: Guard = {
  name: 'budget',
  kinds: [...UP, 'restore'],
  judge(proposal, inputs) {
    const { max } = inputs;
    const most = Math.min(max, proposal.from + Math.max(0, roomIn(inputs)));
    return atMost(proposal, most, [`max ${max}`, budgetText(inputs), ...memoryText(inputs)].join(', '));
  },
};

const failures: Guard = {
  name: 'failures',
  kinds: [...UP, 'restore'],
  judge(proposal, { startsAllowed, starting, trial }) {
    if (starting > 0 && trial === 0 && proposal.kind !== 'concurrency' && proposal.kind !== 'restore')
      return block(
        proposal,
        `${starting} that ${starting === 1 ? 'is started already has' : 'are started already have'} to be there first`,
      );
    if (startsAllowed !== undefined && startsAllowed < proposal.to - proposal.from)
      return atMost(
        proposal,
        proposal.from + startsAllowed,
        `${counted(startsAllowed, 'start')} allowed after failures`,
      );
    return pass(proposal, `${starting} starting ${starting === 1 ? 'counts' : 'count'} as there`);
  },
};

/** Every guard, in the order in which they are asked and logged. A new one is one more line. */
const guards: readonly Guard[] = [
  freeze,
  cooldown,
  samples,
  errors,
  signal,
  backlog,
  benefit,
  step,
  retry,
  flaps,
  budget,
  failures,
];

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
