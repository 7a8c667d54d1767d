import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { reportPage } from '../../../src/simulate/report/page.ts';
import { outcomeOf } from '../support/outcome.ts';

const HOSTILE = `</script><script>alert(1)</script><!-- "'&`;

const page = reportPage({
  title: HOSTILE,
  assumed: [HOSTILE],
  outcomes: [outcomeOf('pilotlight', HOSTILE), outcomeOf('kpa')],
});
const scripts = [...page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)];

test('text of others stays text', () => {
  expect(scripts).toHaveLength(2);
  expect(page).not.toContain('alert(1)</script>');
  expect(page).not.toContain('<!--');
  expect(JSON.parse(scripts[0]?.[2] ?? '')[0].plots[0].marks[0].lines[0]).toContain(HOSTILE);
});

test('the page may load nothing, and run its own script alone', () => {
  expect(page).not.toMatch(/(src|href)=/);
  const digest = createHash('sha256')
    .update(scripts[1]?.[2] ?? '')
    .digest('base64');
  expect(page).toContain(`default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest}'`);
});

test('its script draws every plot of every policy, and the marks with what they say', () => {
  const plots: { title: string; lines: number }[] = [];
  const texts: string[] = [];
  const element = () => ({
    style: {},
    clientWidth: 100,
    append: () => undefined,
    set textContent(text: string) {
      texts.push(text);
    },
  });
  class FakePlot {
    over = element();
    constructor(options: { title: string; hooks: { draw: ((plot: FakePlot) => void)[] } }, data: unknown[]) {
      plots.push({ title: options.title, lines: data.length - 1 });
      for (const hook of options.hooks.draw) hook(this);
    }
    valToPos = (value: number) => value;
  }
  const drawn = scripts[1]?.[2]?.slice(scripts[1][2].lastIndexOf('\n(function draw')) ?? '';
  const getElementById = (id: string) => (id === 'data' ? { textContent: scripts[0]?.[2] } : element());
  runInNewContext(drawn, { uPlot: FakePlot, document: { createElement: element, getElementById } });
  expect(plots.slice(0, 4).map(({ title, lines }) => [title, lines])).toEqual([
    ['Replicas (at the end of each second)', 3],
    ['Requests (per second)', 2],
    ['Time to first byte (ms, over 5 s)', 3],
    ['Not answered as wished (per second)', 3],
  ]);
  expect(plots).toHaveLength(8);
  expect(texts).toContain(`1.5 s: scale-up 1→2: ${HOSTILE}`);
  expect(texts).toContain('samples pass: 40 of 20');
});
