import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blocksIn, pages, ROOT } from './pages.ts';
import { WALKS, type Walk } from './walk.ts';

const commands = blocksIn('sh', 'console');
const isOf = ({ page, begins }: Walk, block: { place: string; text: string }) =>
  block.place.startsWith(`${page}:`) && block.text.startsWith(begins);

test('every block of commands is run by a test, or the table says why not', () => {
  const counts = commands.map((block) => [block.place, WALKS.filter((walk) => isOf(walk, block)).length]);
  expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
});

test('and the table tells of none that is gone, nor of a test that knows nothing of the page', () => {
  expect(WALKS.filter((walk) => !commands.some((block) => isOf(walk, block)))).toEqual([]);
  const unknown = WALKS.filter(({ runBy, page }) => {
    if (runBy === undefined) return false;
    return !existsSync(join(ROOT, runBy)) || !readFileSync(join(ROOT, runBy), 'utf8').includes(page);
  });
  expect(unknown).toEqual([]);
});

test('no command hides in an indented block, which nothing looks at', () => {
  const hidden = pages.flatMap(({ path, text }) =>
    text
      .replace(/^\s*```(?:.|\n)*?^\s*```/gm, '')
      .split('\n')
      .filter((line) => /^ {4,}(?:\$ |pilotlight |npm |npx |curl |docker )/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(hidden).toEqual([]);
});
