import type { BudgetSettings } from '../../model/settings.ts';
import type { Path } from '../read/path.ts';
import { isExisting } from '../schema/run.ts';
import { mostReplicas } from '../schema/scale.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

/** Bounds of the number of replicas that contradict each other. */
export function checkScale(service: ServiceConfig, base: Path, report: Report): void {
  const { scale, run } = service;
  const { min, initial } = scale;
  const max = mostReplicas(service);
  const path = [...base, 'scale'];
  const [atMin, atMax, atInitial] = [
    [...path, 'min'],
    [...path, 'max'],
    [...path, 'initial'],
  ];
  const given = scale.max === undefined ? `${max}, the default` : `${max}`;
  if (isExisting(run) && max > 1) report.problem([atMax], `an existing container is one replica: max is 1, not ${max}`);
  else if (min > max) report.problem([atMin], `min ${min} is over max (${given})`);
  else if (initial > max) report.problem([atInitial], `initial ${initial} is over max (${given})`);
  for (const [index, window] of scale.schedule.entries()) {
    if (window.min > max)
      report.problem([[...path, 'schedule', index, 'min']], `min ${window.min} is over max (${given})`);
  }
  if (initial < min) report.problem([atInitial], `initial ${initial} is under min (${min})`);
}

/** Bounds over all services that those of single ones exceed. */
export function checkBudget(
  services: readonly [string, ServiceConfig][],
  budget: BudgetSettings,
  report: Report,
): void {
  let least = 0;
  for (const [name, service] of services) {
    const base: Path = ['services', name];
    if (service.run === undefined) continue;
    const { min, initial } = service.scale;
    const max = mostReplicas(service);
    least += min;
    const at = (key: string) => [[...base, 'scale', key]];
    const limit = `budget.replicas (${budget.replicas})`;
    if (initial > budget.replicas) report.problem(at('initial'), `initial ${initial} is over ${limit}`);
    else if (max > budget.replicas) report.warning(at('max'), `max ${max} is over ${limit} and is never reached`);
    if (service.hold.maxBytes > budget.heldBytes) {
      report.warning([[...base, 'hold', 'maxBytes']], 'is over budget.heldBytes and is never reached');
    }
  }
  if (least > budget.replicas) {
    const paths: Path[] = [['budget', 'replicas'], ['services']];
    report.problem(paths, `the services' min add up to ${least}, over budget.replicas (${budget.replicas})`);
  }
}
