import { expectTypeOf, test } from 'vitest';
import type { Endpoints } from '../../../src/config/schema/endpoints.ts';
import type { partSettings } from '../../../src/config/schema/parts.ts';
import type { Run } from '../../../src/config/schema/run.ts';
import type { ConsulService, ConsulSettings } from '../../../src/discovery/consul/settings.ts';
import type { StaticEndpoints } from '../../../src/discovery/static/settings.ts';
import type { ContainerRun, DockerSettings, ImageRun } from '../../../src/runtime/docker/settings.ts';
import type { ProcessRun } from '../../../src/runtime/process/settings.ts';
import type { SwarmRun, SwarmSettings } from '../../../src/runtime/swarm/settings.ts';

// The settings of runtimes and sources pass the rest of the program as plain objects: only here do both ends meet. The
// compiler looks at it.
test('what the schema makes of a section is what its runtime or source reads', () => {
  expectTypeOf<NonNullable<Run['process']>>().toExtend<ProcessRun>();
  expectTypeOf<NonNullable<Run['docker']>>().toExtend<ImageRun | ContainerRun>();
  expectTypeOf<NonNullable<Run['swarm']>>().toExtend<SwarmRun>();
  expectTypeOf<Endpoints>().toExtend<{ consul?: ConsulService; static?: StaticEndpoints }>();
  expectTypeOf<ReturnType<typeof partSettings>>().toExtend<{
    consul?: ConsulSettings;
    docker?: DockerSettings;
    swarm?: SwarmSettings;
  }>();
});
