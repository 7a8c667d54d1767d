import { oneOf } from '../option/value-types.ts';
import { keysOf } from '../option/walk.ts';
import type { Path } from '../read/path.ts';
import { runSchema } from '../schema/run.ts';
import { dockerRun } from '../schema/run-docker.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

type Run = NonNullable<ServiceConfig['run']>;

/** One runtime, and what does not go together within its keys. */
export function checkRun({ run }: ServiceConfig, base: Path, report: Report): void {
  if (run === undefined) return;
  const path = [...base, 'run'];
  const [first, second] = Object.entries(run).flatMap(([name, way]) => (way === undefined ? [] : [name]));
  if (first === undefined) report.problem([path], `needs ${oneOf(keysOf(runSchema))}`);
  if (second !== undefined) report.problem([[...path, second]], `${first} or ${second}, not both`);
  if (run.docker !== undefined) checkDocker(run.docker, [...path, 'docker'], report);
  if (run.swarm?.reach === 'overlay' && run.swarm.networks.length === 0) {
    report.problem(
      [[...path, 'swarm', 'reach']],
      'overlay needs networks: the first of them is the one that is dialled',
    );
  }
  if (run.process !== undefined) checkProcess(run.process, [...path, 'process'], report);
}

function checkDocker(docker: NonNullable<Run['docker']>, path: Path, report: Report): void {
  if (docker.kind === 'docker') {
    if (docker.image === '') report.problem([path], 'needs image, or container for an existing one');
    return;
  }
  if ('standby' in docker && docker.standby === 'none') {
    const message = 'an existing container is never removed: created (which it is), paused or auto';
    report.problem([[...path, 'standby']], message);
  }
  for (const key of keysOf(dockerRun)) {
    if (key === 'standby' || key in docker || !report.filled([...path, key])) continue;
    const message =
      key === 'image' ? 'image or container, not both' : 'an existing container keeps what it was made with';
    report.problem([[...path, key]], message);
  }
}

function checkProcess({ command, env }: NonNullable<Run['process']>, path: Path, report: Report): void {
  if ([...command, ...Object.values(env)].some((word) => word.includes('{port}'))) return;
  report.problem(
    [path],
    'nothing tells the process its port: put {port} into command or env, such as env: { PORT: "{port}" }',
  );
}

/** What asks whether a replica is ready, and only that. */
export function checkReady({ ready, run }: ServiceConfig, base: Path, report: Report): void {
  if (ready.kind !== 'own-check') return;
  const path = [...base, 'ready'];
  if (run !== undefined && run.docker === undefined) {
    report.problem([[...path, 'check'], path], 'docker-health needs run.docker');
  }
  for (const key of ['path', 'host', 'status']) {
    if (report.given([...path, key])) report.problem([[...path, key]], 'means nothing with docker-health');
  }
}
