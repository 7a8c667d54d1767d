import { parseConfig } from '../../../src/config/load/parse.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import type { ServiceOutcome } from '../../../src/simulate/outcome.ts';
import type { Policy } from '../../../src/simulate/policy.ts';
import { simulate } from '../../../src/simulate/simulate.ts';
import { readApp } from '../../../src/simulate/spec/app-spec.ts';
import { readLoad } from '../../../src/simulate/spec/load-spec.ts';

/** A service under a load, in the words of `pilotlight simulate`, so that what is found can be tried by hand. */
export interface Case {
  /** Keys of the service as in a file, beside its route and `run`. */
  service: string;
  app: string;
  load: string;
  /** Replicas that run when the load begins. */
  running: number;
  seconds: number;
  seed: number;
}

/** The settings of the service, with the product's own defaults. */
export function settingsOf({ service }: Case): ServiceSettings {
  const text = `listen: [{ address: 127.0.0.1:8080 }]\nservices:\n  shop: { ${BASE}, ${service} }\n`;
  const result = parseConfig(text, '/search/pilotlight.yaml', {});
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.settings.services[0] as ServiceSettings;
}

const BASE = 'routes: [{ path: / }], run: { process: { command: [app, "{port}"] } }';

export async function outcomeOf(of: Case, policy: Policy = 'pilotlight'): Promise<ServiceOutcome> {
  const { app, start } = readApp(of.app);
  const { load, patienceMs } = readLoad(of.load);
  const settings = settingsOf(of);
  const { running, seconds, seed } = of;
  const service = { settings, app, start, load, running, ...(patienceMs !== undefined && { patienceMs }) };
  const { services } = await simulate({ services: [service], seconds, seed }, policy);
  return services[0] as ServiceOutcome;
}

/** What to write into a file, and to say to `pilotlight simulate`, to see the case. */
export function asCommand({ service, app, load, running, seconds, seed }: Case): string {
  const command = `pilotlight simulate --load '${load}' --app ${app} --running ${running} --for ${seconds}s --seed ${seed}`;
  return `${service}\n${command}`;
}
