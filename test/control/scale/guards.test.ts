import { describe, expect, test } from 'vitest';
import { judge } from '../../../src/control/scale/guards.ts';
import type { Proposal, ProposalKind, ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { quietInputs, saturatedInputs, slowInputs } from '../support/scale-inputs.ts';

const up: Proposal = { kind: 'latency', from: 2, to: 4, reason: '' };
const shed: Proposal = { ...up, kind: 'shed' };
const concurrency: Proposal = { ...up, kind: 'concurrency' };
const growth: Proposal = { ...up, kind: 'growth' };
const undo: Proposal = { kind: 'undo', from: 3, to: 2, reason: '' };
const restore: Proposal = { kind: 'restore', from: 1, to: 2, reason: '' };
const down: Proposal = { kind: 'down', from: 2, to: 1, reason: '' };

/** Guard, what is proposed, how the service stands, what the guard says and how many it lets through. */
type Case = [name: string, proposal: Proposal, inputs: ScaleInputs, verdict: string, to: number, detail: string];

const slow = (change: Partial<ScaleInputs>) => ({ ...slowInputs, ...change });
const saturated = (change: Partial<ScaleInputs>) => ({ ...saturatedInputs, ...change });
const quiet = (change: Partial<ScaleInputs>) => ({ ...quietInputs, ...change });

test.each<Case>([
  ['freeze', up, slow({ frozen: 0 }), 'pass', 4, 'not frozen'],
  ['freeze', up, slow({ frozen: 1 }), 'block', 2, 'frozen by hand'],
  ['freeze', down, quiet({ frozen: 1 }), 'block', 2, 'frozen by hand'],

  ['cooldown', up, slow({ cooldownLeftMs: 0 }), 'pass', 4, 'no change by hand lately'],
  ['cooldown', up, slow({ cooldownLeftMs: 900 }), 'block', 2, 'changed by hand, left alone for 1 s more'],
  ['cooldown', undo, slow({ cooldownLeftMs: 900 }), 'block', 3, 'changed by hand, left alone for 1 s more'],

  ['samples', up, slow({ samples: 20 }), 'pass', 4, '20 samples in 15 s, 20 needed'],
  ['samples', up, slow({ samples: 19 }), 'block', 2, '19 samples in 15 s, 20 needed'],
  ['samples', up, saturated({ samples: 0 }), 'pass', 4, '0 samples in 15 s, 20 needed'],
  ['samples', down, quiet({ samples: 3, windowMs: 300_000 }), 'block', 2, '3 samples in 300 s, 20 needed'],

  ['errors', up, slow({ errorsShare: 0.2 }), 'pass', 4, '20 % of requests fail, 20 % at most'],
  ['errors', up, slow({ errorsShare: 0.5 }), 'block', 2, '50 % of requests fail, 20 % at most'],
  ['errors', up, saturated({ errorsShare: 0.5 }), 'pass', 4, '50 % of requests fail, 20 % at most'],

  ['signal', up, slow({ overTicks: 3 }), 'pass', 4, 'over the threshold for 3 of 3 ticks in a row'],
  ['signal', up, slow({ overTicks: 2 }), 'block', 2, 'over the threshold for 2 of 3 ticks in a row'],
  ['signal', up, saturated({ saturatedTicks: 3 }), 'pass', 4, 'saturated for 3 of 3 ticks in a row'],
  ['signal', up, saturated({ saturatedTicks: 2 }), 'pass', 4, 'saturated, and 390 that wait take more than 2 s'],
  [
    'signal',
    up,
    saturated({ saturatedTicks: 2, goodPerSecond: 60 }),
    'block',
    2,
    'saturated for 2 of 3 ticks in a row',
  ],
  ['signal', up, saturated({ saturatedTicks: 2, load: 210 }), 'block', 2, 'saturated for 2 of 3 ticks in a row'],
  ['signal', up, saturated({ saturatedTicks: 1 }), 'block', 2, 'saturated for 1 of 3 ticks in a row'],
  ['signal', shed, saturated({ saturatedTicks: 2, load: 210 }), 'block', 2, 'saturated for 2 of 3 ticks in a row'],

  ['backlog', up, slow({ goodPerSecond: 43 }), 'pass', 4, '40/s arrive, 43/s are answered'],
  ['backlog', up, slow({ goodPerSecond: 44 }), 'block', 2, '40/s arrive, 44/s are answered: a backlog is draining'],
  [
    'backlog',
    concurrency,
    slow({ goodPerSecond: 44 }),
    'block',
    2,
    '40/s arrive, 44/s are answered: a backlog is draining',
  ],

  [
    'backlog',
    up,
    saturated({ goodPerSecond: 317 }),
    'pass',
    4,
    '300/s arrive, 317/s are answered: too little for the 390 that wait',
  ],
  [
    'backlog',
    up,
    saturated({ goodPerSecond: 316, load: 300, loadBefore: 400 }),
    'block',
    2,
    '300/s arrive, 316/s are answered: a backlog is draining',
  ],
  [
    'backlog',
    up,
    saturated({ goodPerSecond: 317, helps: 0 }),
    'block',
    2,
    '300/s arrive, 317/s are answered: a backlog is draining',
  ],
  [
    'backlog',
    up,
    saturated({ goodPerSecond: 320 }),
    'block',
    2,
    '300/s arrive, 320/s are answered: a backlog is draining',
  ],

  ['benefit', up, slow({}), 'pass', 4, 'no increase without benefit lately'],
  ['benefit', up, slow({ trial: 1, trialFrom: 1, trialTo: 2 }), 'block', 2, '1→2 has to show first that it helps'],
  [
    'benefit',
    concurrency,
    slow({ trial: 2, trialFrom: 1, trialTo: 2 }),
    'block',
    2,
    '1→2 has to show first that it helps',
  ],
  [
    'benefit',
    up,
    slow({ freezeLeftMs: 119_500, freezePerSecond: 20, freezeLiftPerSecond: 30 }),
    'block',
    2,
    'the last one did not help: no other for 120 s, or at 30/s',
  ],
  [
    'benefit',
    up,
    saturated({ freezeLeftMs: 119_500, freezePerSecond: 193, freezeLiftPerSecond: 290 }),
    'pass',
    4,
    'the last one did not help, at 193/s; 300/s now',
  ],
  [
    'benefit',
    shed,
    saturated({ freezeLeftMs: 119_500, freezePerSecond: 194, freezeLiftPerSecond: 291 }),
    'block',
    2,
    'the last one did not help: no other for 120 s, or at 291/s',
  ],
  [
    'benefit',
    up,
    saturated({ freezeLeftMs: 119_500, freezePerSecond: 193, freezeLiftPerSecond: 290, latelyPerSecond: 220 }),
    'block',
    2,
    'the last one did not help: no other for 120 s, or at 290/s',
  ],

  ['step', up, slow({}), 'pass', 4, 'no change before'],
  ['step', up, slow({ sinceUpMs: 15_000, sinceChangeMs: 0 }), 'pass', 4, 'last change 15 s ago, 15 s apart'],
  ['step', up, slow({ sinceUpMs: 13_500 }), 'block', 2, 'last change 14 s ago, 15 s apart'],
  ['step', up, saturated({ sinceUpMs: 0 }), 'pass', 4, 'saturated: as soon as the last one has proved itself'],
  [
    'step',
    up,
    slow({ sinceUpMs: 0, helps: 1, capacityPerSecond: 19 }),
    'pass',
    4,
    'more arrives than they are known to do',
  ],
  ['step', down, quiet({ sinceChangeMs: 60_000 }), 'pass', 1, 'last change 60 s ago, 60 s apart'],
  ['step', down, quiet({ sinceChangeMs: 59_000 }), 'block', 2, 'last change 59 s ago, 60 s apart'],

  ['retry', down, quiet({}), 'pass', 1, 'no decrease was revoked lately'],
  ['retry', down, quiet({ downWaitMs: 299_001 }), 'block', 2, 'so few were too few a while ago: next try in 300 s'],

  ['flaps', down, quiet({ flapTokens: 1 }), 'pass', 1, '1.0 increases may follow a decrease soon'],
  ['flaps', down, quiet({ flapTokens: 0.4 }), 'block', 2, '0.4 increases may follow a decrease soon'],

  ['budget', up, slow({ max: 4 }), 'pass', 4, 'max 4, 20 more within the budget of all services'],
  ['budget', up, slow({ max: 3 }), 'limit', 3, 'max 3, 20 more within the budget of all services'],
  ['budget', up, slow({ budgetLeft: 1 }), 'limit', 3, 'max 10, 1 more within the budget of all services'],
  ['budget', up, slow({ max: 2 }), 'block', 2, 'max 2, 20 more within the budget of all services'],
  ['budget', up, slow({ budgetLeft: -1 }), 'block', 2, 'max 10, 0 more within the budget of all services'],
  ['budget', restore, quiet({ budgetLeft: 0 }), 'block', 1, 'max 10, 0 more within the budget of all services'],

  ['failures', up, slow({}), 'pass', 4, '0 starting count as there'],
  ['failures', up, slow({ startsAllowed: 1 }), 'limit', 3, '1 start allowed after failures'],
  ['failures', up, slow({ startsAllowed: 0 }), 'block', 2, '0 starts allowed after failures'],
  ['failures', restore, quiet({ startsAllowed: 0 }), 'block', 1, '0 starts allowed after failures'],
  ['failures', up, slow({ ready: 1, starting: 1 }), 'block', 2, '1 that is started already has to be there first'],
  ['failures', concurrency, slow({ ready: 1, starting: 1 }), 'pass', 4, '1 starting counts as there'],
])('%s, asked about %j', (name, proposal, inputs, verdict, to, detail) => {
  const judged = judge(proposal, inputs);
  expect(judged.verdicts.find(({ guard }) => guard === name)).toEqual({ guard: name, verdict, detail });
  expect(judged.verdicts.filter((each) => each.verdict !== 'pass')).toHaveLength(verdict === 'pass' ? 0 : 1);
  expect(judged.to).toBe(to);
});

describe('of several guards the most cautious counts', () => {
  test('the least that is let through', () => {
    const ten = { ...up, to: 10 };
    expect(judge(ten, slow({ max: 6, startsAllowed: 3 })).to).toBe(5);
    expect(judge(ten, slow({ max: 4, startsAllowed: 3 })).to).toBe(4);
  });

  test('nothing where one of them blocks, whichever comes first', () => {
    expect(judge(up, slow({ max: 3, overTicks: 0 })).to).toBe(2);
    expect(judge(up, slow({ max: 2, startsAllowed: 1 })).to).toBe(2);
    expect(judge(up, slow({ max: 3, startsAllowed: 0 })).to).toBe(2);
  });
});

const asked: Record<ProposalKind, string[]> = {
  latency: ['freeze', 'cooldown', 'samples', 'errors', 'signal', 'backlog', 'benefit', 'step', 'budget', 'failures'],
  shed: ['freeze', 'cooldown', 'errors', 'signal', 'benefit', 'budget', 'failures'],
  concurrency: ['freeze', 'cooldown', 'errors', 'backlog', 'benefit', 'budget', 'failures'],
  growth: ['freeze', 'cooldown', 'errors', 'benefit', 'step', 'budget', 'failures'],
  undo: ['freeze', 'cooldown'],
  restore: ['freeze', 'cooldown', 'budget', 'failures'],
  down: ['freeze', 'cooldown', 'samples', 'step', 'retry', 'flaps'],
};

test.each([up, shed, concurrency, growth, undo, restore, down])(
  'each guard that is asked has its say: %j',
  (proposal) => {
    const { verdicts } = judge(proposal, slowInputs);
    expect(verdicts.map(({ guard }) => guard)).toEqual(asked[proposal.kind]);
  },
);
