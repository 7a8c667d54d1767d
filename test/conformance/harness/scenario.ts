import type { LineId } from './case.ts';

/** What cannot be said as one row of a table: several steps, deadlines, counts. It throws where the proxy is wrong. */
export interface Scenario {
  name: string;
  lines: LineId[];
  run: () => Promise<void>;
}

export function scenario(name: string, lines: LineId[], run: () => Promise<void>): Scenario {
  return { name, lines, run };
}
