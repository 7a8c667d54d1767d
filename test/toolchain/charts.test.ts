import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ReplicaEvent, type ReplicaState, transition } from '../../src/model/replica.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');

interface Arrow {
  from: string;
  to: string;
  /** What stands beside it. */
  why: string;
}

/** The arrows of the chart below a heading. */
function arrowsBelow(heading: string): Arrow[] {
  const part = page.slice(page.indexOf(`\n## ${heading}\n`));
  const chart = /```mermaid\n([^`]*)```/.exec(part)?.[1] ?? '';
  const arrows = [...chart.matchAll(/^ +(\S+) --> (\S+?)(?:: (.*))?$/gm)];
  return arrows.map(([, from = '', to = '', why = '']) => ({ from, to, why }));
}

test('the chart of a replica shows every transition that there is, and no other', () => {
  const shown = arrowsBelow('The states of a replica');
  const states = [...new Set(shown.flatMap(({ from, to }) => [from, to]))] as ReplicaState[];
  const events = [...new Set(shown.map(({ why }) => why))] as ReplicaEvent[];
  const real = states.flatMap((from) =>
    events.flatMap((why): Arrow[] => {
      const to = transition(from, why);
      return to === undefined ? [] : [{ from, to, why }];
    }),
  );
  const lines = (arrows: Arrow[]) => arrows.map(({ from, to, why }) => `${from} --> ${to}: ${why}`).sort();
  expect(lines(shown)).toEqual(lines(real));
  expect(states.length).toBeGreaterThan(5);
  expect(events.length).toBeGreaterThan(5);
});

/** The words of a union of texts in a file of the request path. */
function wordsOf(file: string, type: string): string[] {
  const source = readFileSync(join(ROOT, 'src/edge/exchange', file), 'utf8');
  const union = new RegExp(`^(?:export )?type ${type} =([^;]*);`, 'm').exec(source)?.[1] ?? '';
  return [...union.matchAll(/'([^']+)'/g)].map(([, word]) => word as string);
}

test('the chart of a request has the phases that there are', () => {
  const shown = new Set(arrowsBelow('The life of a request').flatMap(({ from, to }) => [from, to]));
  shown.delete('[*]');
  const inFlight = wordsOf('transfer.ts', 'TransferPhase').filter((phase) => phase !== 'none');
  const phases = [...wordsOf('exchange.ts', 'Phase'), 'connecting', ...inFlight];
  expect(phases.length).toBeGreaterThan(8);
  expect([...shown].sort()).toEqual(phases.sort());
});
