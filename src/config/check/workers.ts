import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** Bounds that are shared out must suffice for one each: a worker whose part is none could never serve. */
export function checkWorkers({ sections, services }: Parsed, report: Report): void {
  const { workers = 1, listen = [], budget } = sections;
  if (workers === 1) return;
  const atLeast = (paths: readonly Path[], bound: number): void => {
    if (bound === 0 || bound >= workers) return;
    report.problem(paths, `${bound} cannot be shared out between ${workers} workers: expected at least ${workers}`);
  };
  for (const [index, { limits }] of listen.entries()) {
    for (const key of ['connections', 'connectionsPerClient', 'handshakes'] as const) {
      atLeast([['listen', index, 'limits', key]], limits[key]);
    }
  }
  if (budget !== undefined) atLeast([['budget', 'compressions']], budget.compressions);
  for (const [name, service] of services) {
    const base = ['services', name];
    if (!report.broken(base)) checkService(service, base, atLeast);
  }
}

function checkService(
  { hold, routes }: ServiceConfig,
  base: Path,
  atLeast: (paths: readonly Path[], bound: number) => void,
): void {
  for (const key of ['max', 'perClient'] as const) atLeast([[...base, 'hold', key], base], hold[key]);
  routes.forEach(({ rules }, index) => {
    const path = [...base, 'routes', index, 'rate'];
    if (rules?.rate !== undefined) atLeast([[...path, 'burst'], [...path, 'requests'], base], rules.rate.burst);
  });
}
