import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

/** Rules of routes that do not go together. */
export function checkRules({ routes }: ServiceConfig, base: Path, report: Report): void {
  routes.forEach((route, index) => {
    const { rules } = route;
    if (rules === undefined) return;
    const path = [...base, 'routes', index];
    if (rules.redirect !== undefined) {
      for (const key of ['basicAuth', 'headers', 'addSlash']) {
        if (report.given([...path, key])) report.problem([[...path, key]], 'means nothing with redirect');
      }
    }
    if (rules.strip && route.path === '/') report.warning([[...path, 'strip']], 'there is nothing to cut off "/"');
    if (rules.addSlash && route.path === '/') report.warning([[...path, 'addSlash']], '"/" has its slash');
    for (const side of ['request', 'response'] as const) {
      const names = rules.headers[side].set.map(({ name }) => name);
      checkTwice(names, [...path, 'headers', side, 'set'], report);
    }
  });
}

/** Names of fields differ in more than their case. */
function checkTwice(names: string[], path: Path, report: Report): void {
  const seen = new Set<string>();
  for (const name of names) {
    const plain = name.toLowerCase().replaceAll('_', '-');
    if (seen.has(plain)) report.keyProblem([...path, name], 'the same field is set already, in another spelling');
    seen.add(plain);
  }
}
