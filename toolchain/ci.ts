/**
 * Runs the tests and every check, prints what each says, and closes with the count of the real results: a test counts
 * for itself, a check for one. Exits 1 when anything failed or no test ran.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const scratch = mkdtempSync(join(tmpdir(), 'pilotlight-ci-'));
const results = join(scratch, 'results.json');
let passed = 0;
let failed = 0;

function run(...command: string[]): boolean {
  process.stdout.write(`\n> ${command.join(' ')}\n`);
  return spawnSync(command[0] as string, command.slice(1), { stdio: 'inherit' }).status === 0;
}

function check(...command: string[]): void {
  if (run(...command)) passed++;
  else failed++;
}

check('npm', 'run', '-s', 'typecheck');
check('npm', 'run', '-s', 'lint');
check('npm', 'run', '-s', 'architecture');
check('npm', 'run', '-s', 'generate:check');
const clean = run('npm', 'test', '--', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`);

try {
  const counts = JSON.parse(readFileSync(results, 'utf8')) as { numPassedTests: number; numTotalTests: number };
  passed += counts.numPassedTests;
  failed += counts.numTotalTests - counts.numPassedTests;
  if (counts.numPassedTests === 0 || (!clean && failed === 0)) failed++;
} catch {
  process.stderr.write('the test run left no results\n');
  failed++;
}
rmSync(scratch, { recursive: true, force: true });

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
