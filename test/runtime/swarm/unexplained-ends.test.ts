import { expect, test } from 'vitest';
import type { Host } from '../../../src/runtime/swarm/host.ts';
import { UnexplainedEnds } from '../../../src/runtime/swarm/unexplained-ends.ts';

const host = (id: string, changedAt = 1) => ({ id, changedAt }) as unknown as Host;
const hosts = (...all: Host[]) => new Map(all.map((each) => [each.id, each]));

test('a second end without a reason, of which no host tells, is the own doing of the replica', () => {
  const ends = new UnexplainedEnds();
  const all = hosts(host('one'), host('two'));
  expect(ends.note('shop', host('one'), all)).toBe(false);
  expect(ends.note('mail', host('one'), all)).toBe(false);
  expect(ends.note('shop', host('two'), all)).toBe(true);
  expect(ends.note('shop', host('two'), all)).toBe(true);
});

test('an end behind which a host changed, or is no part of the swarm any more, is not', () => {
  const ends = new UnexplainedEnds();
  expect(ends.note('shop', host('one'), hosts(host('one')))).toBe(false);
  expect(ends.note('shop', host('two'), hosts(host('one', 2), host('two')))).toBe(false);
  expect(ends.note('shop', undefined, hosts(host('two')))).toBe(false);
  expect(ends.note('shop', host('two'), hosts(host('two')))).toBe(false);
});
