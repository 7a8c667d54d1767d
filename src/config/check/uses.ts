import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** Which of the sections that may be left out are in use: those that are there, or that a service needs. */
export interface Uses {
  consul: boolean;
  docker: boolean;
}

export function usesOf({ services }: Parsed, report: Report): Uses {
  const all = [...services.values()];
  return {
    consul: report.given(['consul']) || all.some(({ endpoints }) => endpoints.consul !== undefined),
    docker: report.given(['docker']) || all.some(({ run }) => run?.docker !== undefined),
  };
}
