import { expect, test } from 'vitest';
import { autoKeepMs } from '../../../src/control/scale/idle-choice.ts';
import { GAP_BUCKETS, IdleGaps } from '../../../src/control/scale/idle-gaps.ts';
import { type IdleLearnt, nothingLearnt } from '../../../src/control/scale/idle-learnt.ts';
import { SIBLING_GROUPS, SiblingGaps } from '../../../src/control/scale/sibling-gaps.ts';
import { decodeSiblings, encodeSiblings } from '../../../src/control/scale/sibling-store.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const SKI_RENTAL = 151_000;

/** A service that has had these gaps, with a start of a second. */
function having(...gaps: number[]): IdleLearnt {
  const learnt = { ...nothingLearnt(), startMs: 1000 };
  for (const ms of gaps) learnt.gaps.add(ms);
  return learnt;
}

/** Adds services that were idle for so long, one time after the other. */
function live(siblings: SiblingGaps, services: number, ...gaps: number[]): SiblingGaps {
  for (let i = 0; i < services; i++) {
    const own = new IdleGaps();
    for (const ms of gaps) {
      siblings.add(own, ms, 1);
      own.add(ms);
    }
  }
  return siblings;
}

test('one that is called once a day sleeps at once when all others of the kind have shown that nothing follows', () => {
  const siblings = live(new SiblingGaps(), 60, DAY, DAY);
  expect(autoKeepMs(having(DAY), 150, undefined)).toBe(SKI_RENTAL);
  expect(autoKeepMs(having(DAY), 150, siblings)).toBeLessThan(SKI_RENTAL / 3);
  // Of another kind nothing is known.
  expect(autoKeepMs(having(MINUTE), 150, siblings)).toBe(SKI_RENTAL);
});

test('of the first gap of a service the first gaps of the others tell', () => {
  const siblings = live(new SiblingGaps(), 60, MINUTE);
  expect(autoKeepMs(having(), 15, undefined)).toBe(16_000);
  expect(autoKeepMs(having(), 15, siblings)).toBeLessThan(3000);
});

test('a few gaps of its own outweigh those of the others', () => {
  const siblings = live(new SiblingGaps(), 500, MINUTE, MINUTE, DAY, DAY);
  const own = having(...Array.from({ length: 12 }, () => 1.9 * MINUTE));
  expect(autoKeepMs(own, 150, siblings)).toBeGreaterThan(1.9 * MINUTE);
});

test('one that is called all the time says nothing of those that are called rarely', () => {
  const siblings = live(new SiblingGaps(), 60, MINUTE, MINUTE);
  const before = siblings.groups.map((counts) => counts?.slice());
  const busy = new IdleGaps();
  for (let i = 0; i < 20; i++) busy.add(MINUTE);
  for (let i = 0; i < 1000; i++) siblings.add(busy, DAY, 1);
  expect(siblings.groups).toEqual(before);
});

test('a service on its own is kept for as long as a wake costs until it knows 20 gaps, as without siblings', () => {
  const siblings = new SiblingGaps();
  const own = having();
  for (let i = 0; i < 40; i++) {
    expect(autoKeepMs(own, 150, siblings)).toBe(autoKeepMs(own, 150, undefined));
    if (i < 20) expect(autoKeepMs(own, 150, siblings)).toBe(SKI_RENTAL);
    siblings.add(own.gaps, DAY, 1);
    own.gaps.add(DAY);
  }
});

test('however many gaps come, no group knows more than so many, and those long ago count for less', () => {
  const siblings = live(new SiblingGaps(), 3000, DAY);
  expect(siblings.known(new IdleGaps())).toBeLessThanOrEqual(2000);
  live(siblings, 10_000, MINUTE);
  expect(siblings.known(new IdleGaps())).toBeLessThanOrEqual(2000);
  expect(siblings.groups).toHaveLength(SIBLING_GROUPS);
  expect(siblings.groups[0]?.reduce((most, count) => Math.max(most, count))).toBeGreaterThan(990);
});

test('what was written is read, and what is not whole is refused', () => {
  const siblings = live(new SiblingGaps(), 60, 40, MINUTE, DAY, DAY);
  const text = encodeSiblings(siblings);
  const read = decodeSiblings(text) as SiblingGaps;
  expect(read.groups).toEqual(siblings.groups);
  expect(read.known(new IdleGaps())).toBe(60);
  for (const wrong of [
    '',
    'null',
    '[]',
    '{"version":2}',
    '{"version":1,"groups":7}',
    '{"version":1,"groups":[1]}',
    `{"version":1,"groups":[[${SIBLING_GROUPS},[]]]}`,
    `{"version":1,"groups":[[0,[${GAP_BUCKETS},1]]]}`,
    '{"version":1,"groups":[[0,[3,-1]]]}',
  ])
    expect(typeof decodeSiblings(wrong), wrong).toBe('string');
});
