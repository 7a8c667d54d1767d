import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { runSimulate } from '../../src/cli/simulate.ts';
import type { Scenario } from '../../src/simulate/scenario.ts';
import { outcomeOf } from '../simulate/support/outcome.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const RUN = 'run: { process: { command: [a, "{port}"] } }';
const CONFIG = `listen: [{ address: "127.0.0.1:8080" }]
services:
  app: { routes: [{ path: / }], ${RUN}, scale: { max: 5 } }
`;
const TWO = `${CONFIG}  other: { routes: [{ path: /other }], ${RUN} }\n`;
const DATABASE = `listen: [{ address: "127.0.0.1:8080" }, { address: "127.0.0.1:6379", tcp: { service: store } }]
services:
  store: { ${RUN} }
`;
const WITH_DATABASE = `${DATABASE}  app: { routes: [{ path: / }], ${RUN} }\n`;

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'pilotlight-simulate-'));
  await writeFile(join(cwd, 'pilotlight.yaml'), CONFIG);
  await writeFile(join(cwd, 'two.yaml'), TWO);
  await writeFile(join(cwd, 'database.yaml'), DATABASE);
  await writeFile(join(cwd, 'with-database.yaml'), WITH_DATABASE);
});
afterEach(() => rm(cwd, { recursive: true }));

async function simulated(given: Parameters<typeof runSimulate>[0]) {
  const terminal = fakeTerminal({ cwd });
  const scenarios: Scenario[] = [];
  const code = await runSimulate(given, terminal, async (scenario, policy) => {
    scenarios.push(scenario);
    return outcomeOf(policy === 'pilotlight' ? policy : policy.name);
  });
  return { code, scenario: scenarios[0] as Scenario, out: terminal.stdout.join('\n'), err: terminal.stderr };
}

test('runs the real settings of the service under ours and the rivals, and tells a row of each', async () => {
  const { code, scenario, out } = await simulated({ load: 'constant:20', against: 'kpa,fixed:3', for: '30s' });
  expect(code).toBe(0);
  expect(scenario).toMatchObject({
    seconds: 30,
    seed: 1,
    services: [{ settings: { name: 'app', scale: { max: 5 } } }],
  });
  expect(out).toMatch(/^pilotlight +2 +2 +1 +3 +1 +2 \(10 %\) +0 +0 +900ms$/m);
  expect(out).toMatch(/^kpa /m);
  expect(out).toMatch(/^fixed:3 /m);
  expect(out).toMatch(/^ +1.5s {2}scale-up 1→2: p95 900 ms over 500 ms$/m);
});

test('takes the only service with requests where others are of TCP', async () => {
  const { scenario } = await simulated({ load: 'constant:20', config: 'with-database.yaml' });
  expect(scenario.services[0]?.settings.name).toBe('app');
});

test('tells what it had to assume', async () => {
  const { out } = await simulated({ load: 'constant:20', app: 'time:5ms,start:1s', against: 'kpa' });
  expect(out.match(/^assumed: .*/gm)).toEqual([
    'assumed: a replica works on 8 requests at once (slots:N)',
    'assumed: kpa is told that a replica takes 8 requests',
  ]);
});

test('begins with as many replicas as are said to run', async () => {
  const { scenario } = await simulated({ load: 'constant:20', running: '9' });
  expect(scenario.services[0]?.running).toBe(9);
  await expect(simulated({ load: 'constant:20', running: 'some' })).rejects.toThrow(
    'expected a number of running replicas, found "some"',
  );
});

test('follows a trace until a minute after its last call', async () => {
  await writeFile(join(cwd, 'trace.csv'), 'app,func,end_timestamp,duration\na,f,1,1\na,f,31,1\n');
  const { scenario } = await simulated({ trace: 'trace.csv', speed: '2' });
  expect(scenario.seconds).toBe(75);
});

test('prints JSON and writes the report', async () => {
  const { out } = await simulated({ load: 'constant:20', json: true, out: 'report.html' });
  expect(JSON.parse(out).outcomes[0].policy).toBe('pilotlight');
  expect(await readFile(join(cwd, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/);
});

test('a report that cannot be written, and a trace that cannot be read, are said in a line', async () => {
  const report = await simulated({ load: 'constant:20', out: 'nowhere/report.html' });
  expect(report).toMatchObject({ code: 1, err: [expect.stringContaining('the report cannot be written')] });
  const trace = await simulated({ trace: 'none.csv' });
  expect(trace).toMatchObject({ code: 1, err: [expect.stringContaining('the trace cannot be read')] });
});

test('a wrong configuration is told as check tells it', async () => {
  await writeFile(join(cwd, 'pilotlight.yaml'), 'listen: []\nservces: {}\n');
  const { code, err } = await simulated({ load: 'constant:20' });
  expect(code).toBe(1);
  expect(err.join('\n')).toContain('servces');
});

test.each([
  [[], 'say either --load or --trace'],
  [['--load', 'constant:x'], 'expected a rate (requests per second), found "x"'],
  [['--load', 'constant:2', '--app', 'fast'], 'expected a part of an app'],
  [['--load', 'constant:2', '--against', 'keda'], 'expected a policy (kpa, hpa, fixed:3), found "keda"'],
  [['--load', 'constant:2', '--seed', '0'], 'expected a seed'],
  [['--load', 'constant:2', '--for', '5'], 'expected a duration'],
  [['--load', 'constant:2', '-c', 'two.yaml'], 'say which service with --service: app, other'],
  [['--load', 'constant:2', '-c', 'database.yaml'], 'store is a service of TCP, which has no requests to simulate'],
  [
    ['--load', 'constant:2', '-c', 'with-database.yaml', '--service', 'store'],
    'store is a service of TCP, which has no requests to simulate',
  ],
  [['--load', 'constant:2', '--service', 'ap'], 'no service "ap" that can be started (did you mean "app"?)'],
])('%j is wrong usage', async (args, message) => {
  const terminal = fakeTerminal({ cwd });
  expect(await runCli(['simulate', ...args], noProgram, terminal)).toBe(2);
  expect(terminal.stderr.join('\n')).toContain(message);
});
