import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PilotlightError } from '../model/errors.ts';
import type { ServiceSettings } from '../model/settings.ts';
import type { Outcome } from '../simulate/outcome.ts';
import type { Policy } from '../simulate/policy.ts';
import { reportPage } from '../simulate/report/page.ts';
import type { Scenario } from '../simulate/scenario.ts';
import { simulate } from '../simulate/simulate.ts';
import { readApp } from '../simulate/spec/app-spec.ts';
import { type LoadSpec, readLoad } from '../simulate/spec/load-spec.ts';
import { readRivals } from '../simulate/spec/rivals-spec.ts';
import { readTraceLoad, type TraceLoad } from '../simulate/spec/trace-load.ts';
import { readCount, readDuration, readNumber } from '../simulate/spec/words.ts';
import { fileFault, writeWhole } from '../util/file-errors.ts';
import { counted } from '../util/format.ts';
import { didYouMean } from '../util/suggest.ts';
import { formatDuration } from '../util/units.ts';
import type { Invocation } from './args.ts';
import { locateConfig } from './locate-config.ts';
import { readSettings } from './read-settings.ts';
import { decisionLines, outcomeTable } from './simulate-text.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_SECONDS = 300;
/** A trace is followed for so long after its last call, so that it is seen what comes of it, s. */
const AFTER_TRACE_SECONDS = 60;

type Given = Invocation['given'];
/** Runs a scenario under a policy. */
type Simulate = (scenario: Scenario, policy: Policy) => Promise<Outcome>;

/**
 * `simulate`: our policy and others on one load, on virtual time, as a table, the decisions and a report.
 * @returns the exit code: 0, or 1 where the configuration, the trace or the report's place is wrong
 * @throws USAGE CONFIG_NOT_FOUND
 */
export async function runSimulate(given: Given, terminal: Terminal, run: Simulate = simulate): Promise<number> {
  if ((given.load === undefined) === (given.trace === undefined)) throw usage('say either --load or --trace');
  const named = given.load === undefined ? undefined : readLoad(given.load);
  const seed = given.seed === undefined ? 1 : readCount(given.seed, 'a seed, a whole number from 1 on');
  const trace = given.trace === undefined ? undefined : await openTrace(given.trace, given, terminal);
  if (trace !== undefined && 'wrong' in trace) {
    terminal.err(`pilotlight: ${trace.wrong}`);
    return 1;
  }
  const { app, start, assumed } = readApp(given.app, trace?.time);
  const rivals = given.against === undefined ? [] : readRivals(given.against, app.slots);
  const seconds = secondsOf(given, trace);
  const running = given.running === undefined ? undefined : readCount(given.running, 'a number of running replicas');

  const settings = await readSettings(await locateConfig(given.config, terminal), terminal);
  if (settings === undefined) return 1;
  const service = pick(settings.services, given.service);
  const { load, patienceMs } = named ?? (trace as LoadSpec & TraceLoad);
  const scenario: Scenario = {
    services: [
      {
        settings: service,
        app,
        load,
        start,
        ...(patienceMs !== undefined && { patienceMs }),
        ...(running !== undefined && { running }),
      },
    ],
    seconds,
    seed,
    budget: settings.budget,
  };
  const outcomes: Outcome[] = [];
  for (const policy of ['pilotlight', ...rivals] as const) outcomes.push(await run(scenario, policy));

  if (rivals.some(({ name }) => name === 'kpa'))
    assumed.push(`kpa is told that a replica takes ${counted(app.slots, 'request')}`);
  if (rivals.some(({ name }) => name === 'hpa')) assumed.push('hpa scales on the latency, and keeps one replica');
  const title = `${service.name}, ${formatDuration(seconds * 1000)} of ${given.load ?? given.trace}, seed ${seed}`;
  if (given.json === true) terminal.out(JSON.stringify({ title, assumed, outcomes }, null, 2));
  else {
    terminal.out(title);
    for (const line of assumed) terminal.out(`assumed: ${line}`);
    terminal.out(`\n${outcomeTable(outcomes)}`);
    for (const line of decisionLines(outcomes)) terminal.out(line);
  }
  if (given.out === undefined) return 0;
  try {
    await writeWhole(resolve(terminal.cwd, given.out), reportPage({ title, assumed, outcomes }));
  } catch (error) {
    terminal.err(`pilotlight: the report cannot be written (${fileFault(error)})`);
    return 1;
  }
  if (given.json !== true) terminal.out(`\nreport: ${given.out}`);
  return 0;
}

/** The only service that can be started, or the one that was named. @throws USAGE */
function pick(services: readonly ServiceSettings[], name: string | undefined): ServiceSettings {
  const startable = services.filter(({ run }) => run !== undefined);
  if (startable.length === 0) throw usage('no service has a "run": there is nothing to scale');
  const named = startable.find((service) => service.name === name);
  const withRequests = startable.filter(({ isTcp }) => !isTcp);
  const names = withRequests.map((service) => service.name);
  if (name === undefined && names.length > 1) throw usage(`say which service with --service: ${names.join(', ')}`);
  const found = name === undefined ? (withRequests[0] ?? startable[0]) : named;
  if (found?.isTcp === true) throw usage(`${found.name} is a service of TCP, which has no requests to simulate`);
  if (found === undefined) throw usage(`no service "${name}" that can be started${didYouMean(name ?? '', names)}`);
  return found;
}

async function openTrace(file: string, given: Given, { cwd }: Terminal) {
  const speed = given.speed === undefined ? 1 : readNumber(given.speed, 'a factor such as 10');
  if (speed === 0) throw usage('--speed is over 0');
  let text: string;
  try {
    text = await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    return { wrong: `the trace cannot be read (${fileFault(error)})` };
  }
  return readTraceLoad(text, { file, speed, func: given.function });
}

function secondsOf(given: Given, trace: TraceLoad | undefined): number {
  if (given.for !== undefined) return Math.ceil(readDuration(given.for) / 1000);
  return trace === undefined ? DEFAULT_SECONDS : Math.ceil(trace.lengthMs / 1000) + AFTER_TRACE_SECONDS;
}

function usage(message: string): PilotlightError {
  return new PilotlightError('USAGE', message);
}
