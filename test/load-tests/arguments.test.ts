import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { pilotlight } from '../main/program.ts';

vi.setConfig({ testTimeout: 180_000 });

const FOLDER = join(import.meta.dirname, '../../load-tests');
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));

async function expectRefused(name: string, args: string[]): Promise<void> {
  const refused = pilotlight(args, { main: join(FOLDER, name) });
  expect(await refused.exit, args.join(' ')).toBe(2);
  expect(refused.stderr).toMatch(/^usage: npm run \S+/m);
  expect(refused.stderr).not.toMatch(/^ +at /m);
  expect(refused.stdout).toBe('');
}

test.each(scripts)('%s refuses what it does not understand, and measures nothing', async (name) => {
  await expectRefused(name, ['--frobnicate', '1']);
});

test.each(['many', '0', '1.5', '9999999999'])('a count is a whole number from 1: %s', async (text) => {
  await expectRefused('large-bodies.ts', [text]);
});

test('bench.ts refuses to compare with what is no checkout', async () => {
  await expectRefused('bench.ts', ['--against', FOLDER]);
  await expectRefused('bench.ts', ['--against']);
});
