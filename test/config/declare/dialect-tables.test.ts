import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dialects } from '../../../src/config/declare/dialects/dialects.ts';

const PAGES: Record<string, string> = {
  fabio: 'coming-from-fabio.md',
  traefik: 'coming-from-traefik.md',
  sablier: 'coming-from-traefik.md',
};

test.each(dialects.map(({ name, rows }) => ({ name, rows })))(
  'the page about $name says what becomes of each label',
  ({ name, rows }) => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs', PAGES[name] ?? ''), 'utf8').split('\n');
    for (const { written, fate, becomes } of rows) {
      expect(page).toContain(`| \`${written}\` | ${fate} | ${becomes.replaceAll('||', '\\|\\|')} |`);
    }
  },
);
