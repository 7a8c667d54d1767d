import type { ServiceSettings } from '../../model/settings.ts';
import { didYouMean } from '../../util/suggest.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

/** Groups of which the services can be started one after the other. */
export function checkGroups(services: ReadonlyMap<string, ServiceConfig>, report: Report): void {
  for (const [name, { group, after = [], run }] of services) {
    const base = ['services', name];
    if (group === undefined) {
      if (after.length > 0)
        report.problem([[...base, 'after']], 'needs group: only services of one group wait for each other');
      continue;
    }
    if (run === undefined)
      report.problem([[...base, 'group']], 'needs run: what others run cannot be started with a group');
    for (const [index, other] of after.entries()) {
      const path = [...base, 'after', index];
      const found = services.get(other);
      if (found === undefined)
        report.problem([path], `no service is called "${other}"${didYouMean(other, [...services.keys()])}`);
      else if (found.group !== group) report.problem([path], `${other} is not in the group ${group}`);
      else if (leadsTo(other, name, services)) report.problem([path], `${other} starts after ${name} already`);
    }
  }
}

/** Whether a service starts after another one, directly or by way of others. */
export function leadsTo(
  from: string,
  to: string,
  services: ReadonlyMap<string, Pick<ServiceSettings, 'after'>>,
): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(services.get(name)?.after ?? []));
  }
  return false;
}
