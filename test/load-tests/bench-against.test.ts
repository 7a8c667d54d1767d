import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkoutAt, OWN_ROOT } from '../../load-tests/bench/checkout.ts';
import type { Measured } from '../../load-tests/bench/measure.ts';
import { readOptions } from '../../load-tests/bench/options.ts';
import { BEFORE, referenceNamed, renderTable, renderVerdict } from '../../load-tests/bench/report.ts';

const KNOWN = { workloads: ['small-get'], proxies: ['pilotlight'] };
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folderWith(manifest: object | undefined, { installed = true } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-checkout-'));
  folders.push(folder);
  if (manifest !== undefined) writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  if (installed) mkdirSync(join(folder, 'node_modules'));
  return folder;
}

const manifest = (script: string) => ({ name: 'pilotlight', scripts: { pilotlight: script } });

test('another checkout is started as its own package.json says', () => {
  const folder = folderWith(manifest('exec node --max-semi-space-size=16 src/main.ts'));
  const { against } = readOptions(['--against', folder], KNOWN);
  expect(against).toEqual({
    name: basename(folder),
    command: ['--max-semi-space-size=16', join(folder, 'src/main.ts')],
  });
  expect(checkoutAt(OWN_ROOT).command).toEqual(['--max-semi-space-size=4', join(OWN_ROOT, 'src/pilotlight.ts')]);
});

test('a checkout is named by its commit, with a mark where files differ from it', () => {
  const folder = folderWith(manifest('exec node src/pilotlight.ts'));
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    return spawnSync('git', ['-C', folder, ...who, ...args], { encoding: 'utf8' }).stdout.trim();
  };
  git('init');
  git('add', 'package.json');
  git('commit', '-m', 'one');
  const commit = git('rev-parse', '--short', 'HEAD');
  expect(commit).toMatch(/^[0-9a-f]+$/);
  expect(checkoutAt(folder).name).toBe(commit);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest('exec node src/main.ts'), version: '2' }));
  expect(checkoutAt(folder).name).toBe(`${commit}+`);
});

test.each([
  ['that is not there, nor a revision', () => '/no/such/folder', 'neither a folder nor a revision'],
  ['of another package', () => folderWith({ name: 'other' }), 'is no checkout of Pilotlight'],
  ['without its packages', () => folderWith(manifest('node a.ts'), { installed: false }), 'npm ci there first'],
])('a folder %s is refused', (_, folder, why) => {
  expect(() => readOptions(['--against', folder()], KNOWN)).toThrow(why);
});

/** Rounds of one subject that differ by their CPU per request, µs, alone. */
function measured(subject: Partial<Measured['subject']>, ...cpu: number[]): Measured {
  const round = {
    requests: 100,
    seconds: 1,
    p50: 1,
    p99: 2,
    failed: 0,
    resident: 100,
    instructions: Number.NaN,
    cacheMisses: Number.NaN,
  };
  return {
    subject: { name: 'pilotlight', port: 1, pid: 1, adminPort: 1, ...subject },
    rounds: cpu.map((micros) => ({ ...round, cpu: micros })),
  };
}

const rowsOf = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) => line.split('│').map((cell) => cell.trim()));

test('the ratio is that of each round, its median and its spread', () => {
  const before = measured({ name: 'before (abc)', isBefore: true }, 20, 40, 10);
  const [head, after, other] = rowsOf(renderTable([measured({}, 21, 40, 11), before], [BEFORE]));
  expect(head?.[8]).toBe('CPU / before');
  expect(after?.[1]).toBe('pilotlight');
  expect(after?.[8]).toBe('1.050 (1.000–1.100)');
  expect(other?.[8]).toBe('1.000 (1.000–1.000)');
});

test('a variant is compared with the same variant of the other state', () => {
  const all = [
    measured({ name: 'few', variant: 'few' }, 10),
    measured({ name: 'few, before', variant: 'few', isBefore: true }, 10),
    measured({ name: 'many', variant: 'many' }, 30),
    measured({ name: 'many, before', variant: 'many', isBefore: true }, 20),
  ];
  const ratios = rowsOf(renderTable(all, [BEFORE])).map((cells) => cells[8]);
  expect(ratios).toEqual([
    'CPU / before',
    '1.000 (1.000–1.000)',
    '1.000 (1.000–1.000)',
    '1.500 (1.500–1.500)',
    '1.000 (1.000–1.000)',
  ]);
});

test('without what is compared with there are no ratios', () => {
  expect(rowsOf(renderTable([measured({}, 20)], [referenceNamed('haproxy')]))[0]).not.toContain('CPU / haproxy');
});

test('a disturbed round does not blur the verdict', () => {
  const before = measured({ name: 'before (abc)', isBefore: true }, 20, 20, 20, 20, 80);
  expect(renderVerdict([measured({}, 20.2, 19.8, 20.4, 60, 20), before])).toBe(
    'pilotlight: CPU per request 1.010 of what it was before, half of the rounds 0.990–1.020',
  );
});
