import { parseConfig } from '../../../src/config/load/parse.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import type { ServiceOutcome } from '../../../src/simulate/outcome.ts';
import type { Policy } from '../../../src/simulate/policy.ts';
import type { SimulatedService } from '../../../src/simulate/scenario.ts';
import { simulate } from '../../../src/simulate/simulate.ts';
import { readApp } from '../../../src/simulate/spec/app-spec.ts';
import { readLoad } from '../../../src/simulate/spec/load-spec.ts';

/** A service under a load, in the words of `pilotlight simulate`. */
export interface ServiceCase {
  /** Keys of the service as in a file, beside its route and `run`. */
  service: string;
  app: string;
  load: string;
  /** Replicas that run when the load begins. */
  running: number;
}

/** … for so long, so that what is found can be tried by hand. */
export interface Case extends ServiceCase {
  seconds: number;
  seed: number;
  /** Another service beside it, and how many replicas both of them may have together. */
  shared?: { replicas: number; other: ServiceCase };
}

/** The settings of a service, with the product's own defaults. */
export function settingsOf({ service }: ServiceCase, name = 'shop'): ServiceSettings {
  const text = `listen: [{ address: 127.0.0.1:8080 }]\nservices:\n  ${name}: { ${BASE}, ${service} }\n`;
  const result = parseConfig(text, '/search/pilotlight.yaml', {});
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.settings.services[0] as ServiceSettings;
}

const BASE = 'routes: [{ path: / }], run: { process: { command: [app, "{port}"] } }';

/** What came of the service, and of the other one where there are two. */
export async function outcomesOf(of: Case, policy: Policy = 'pilotlight'): Promise<ServiceOutcome[]> {
  const { seconds, seed, shared } = of;
  const services = [simulated(of, 'shop')];
  if (shared !== undefined) services.push(simulated(shared.other, 'other'));
  const budget = shared && { replicas: shared.replicas };
  const scenario = { services, seconds, seed, ...(budget && { budget }) };
  return (await simulate(scenario, policy)).services;
}

/** … of the service alone. */
export async function outcomeOf(of: Case, policy: Policy = 'pilotlight'): Promise<ServiceOutcome> {
  return (await outcomesOf(of, policy))[0] as ServiceOutcome;
}

function simulated(of: ServiceCase, name: string): SimulatedService {
  const { app, start } = readApp(of.app);
  const { load, patienceMs } = readLoad(of.load);
  const settings = settingsOf(of, name);
  return { settings, app, start, load, running: of.running, ...(patienceMs !== undefined && { patienceMs }) };
}

/** What a replica can do per second, by arithmetic. */
export function eachOf({ app: text }: ServiceCase): number {
  const { app } = readApp(text);
  return ((app.sharesProcessor ? 1 : app.slots) * 1000) / app.serviceTime.meanMs;
}

export function boundsOf(of: ServiceCase, isWell = true) {
  const { min, max } = settingsOf(of).scale;
  return { min: Math.min(of.running, Math.max(1, min)), max: Math.max(max, of.running), isWell };
}

/** Requests per second in the end. */
export const finalRateOf = ({ load }: ServiceCase) => Number(/constant:(\d+)(?:,patience:\d+ms)?$/.exec(load)?.[1]);

/** What to write into a file, and to say to `pilotlight simulate`, to see the case: of two services each by itself. */
export function asCommand({ seconds, seed, shared, ...of }: Case): string {
  const commandOf = ({ service, app, load, running }: ServiceCase) =>
    `${service}\npilotlight simulate --load '${load}' --app ${app} --running ${running} --for ${seconds}s --seed ${seed}`;
  if (shared === undefined) return commandOf(of);
  return `${commandOf(of)}\nbeside it, with ${shared.replicas} replicas for both of them:\n${commandOf(shared.other)}`;
}
