import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const glossary = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8');
/** Without what stands in brackets behind some. */
const words = [...glossary.matchAll(/^\| \*\*(.+?)\*\* \|/gm)].map(([, word = '']) => word.replace(/\s*\(.*\)$/, ''));

test('every word stands in the glossary once, in the order of the alphabet', () => {
  expect(words.length).toBeGreaterThan(50);
  expect(words).toEqual([...new Set(words)].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
});

test('no word stands there that nothing uses', () => {
  const files = globSync(['src/**/*.ts', 'docs/*.md', 'README.md'], { cwd: ROOT });
  const used = files
    .filter((file) => !file.endsWith('glossary.md'))
    .map((file) => readFileSync(join(ROOT, file), 'utf8'));
  const text = used.join('\n').toLowerCase();
  const spellings = (word: string) => [
    word,
    word.replaceAll(' ', ''),
    word.replaceAll(' ', '-'),
    word.replaceAll('-', ''),
  ];
  const unused = words.filter((word) => !spellings(word.toLowerCase()).some((spelling) => text.includes(spelling)));
  expect(unused).toEqual([]);
});
