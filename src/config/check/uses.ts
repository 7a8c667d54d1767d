import type { Uses } from '../schema/parts.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** Also of a file that has mistakes: of what is right in it. */
export function usesOf({ services }: Parsed, report: Report): Uses {
  const all = [...services.values()];
  return {
    consul: report.given(['consul']) || all.some(({ endpoints }) => endpoints.consul !== undefined),
    docker: report.given(['docker']) || all.some(({ run }) => run?.docker !== undefined),
  };
}
