import { partList, type Uses } from '../schema/parts.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** Which of the sections that may be left out are in use; where the file has mistakes, by what is right in it. */
export function usesOf({ sections, services }: Parsed, report: Report): Uses {
  const all = [...services.values()];
  const declaring = sections.declare?.sources ?? {};
  const used = partList.map(([name, { isNeededBy }]) => {
    return [name, report.given([name]) || name in declaring || all.some(isNeededBy)];
  });
  return Object.fromEntries(used);
}
