import { parseConfig } from '../../src/config/load/parse.ts';
import type { ServiceSettings } from '../../src/model/settings.ts';
import { openLoad } from '../../src/simulate/load.ts';
import type { Scenario } from '../../src/simulate/scenario.ts';
import type { ScaledService, ScalingScenario } from './scenario.ts';

/** The settings that the program reads from the service's configuration. @throws Error where it would refuse it */
export function settingsOf({ name, config }: ScaledService): ServiceSettings {
  const always = { routes: [{ host: `${name}.test` }], run: { process: { command: ['app', '{port}'] } } };
  const document = { listen: [{ address: '127.0.0.1:8080' }], services: { [name]: { ...always, ...config } } };
  const result = parseConfig(JSON.stringify(document), '/scaling/pilotlight.yaml', {});
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.settings.services[0] as ServiceSettings;
}

/** The same load, app and configuration for the simulation. */
export function simulationOf({ services, seconds, budget }: ScalingScenario, seed: number): Scenario {
  return {
    seconds,
    seed,
    ...(budget && { budget }),
    services: services.map((service) => ({
      settings: settingsOf(service),
      app: service.app,
      load: openLoad(service.load),
      start: { startMs: service.startMs },
    })),
  };
}
