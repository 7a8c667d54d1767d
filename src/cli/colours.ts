import type { ServiceStateName } from '../model/status.ts';

const COLOUR_OF: Record<ServiceStateName, number> = {
  asleep: 34,
  waking: 33,
  ready: 32,
  retiring: 33,
  failing: 31,
  unavailable: 31,
};

const STATE = new RegExp(`^(\\S+ +)(${Object.keys(COLOUR_OF).join('|')})(?= |$)`);

/** Whether what is written may be coloured: by a person's terminal that can, and who did not say no (NO_COLOR). */
export function hasColours(interactive: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return interactive && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** Colours a table of services: its head, and the states. Its width stays. */
export function colouredStatus(text: string): string {
  const [head = '', ...lines] = text.split('\n');
  return [`\x1b[1m${head}\x1b[0m`, ...lines.map(colouredLine)].join('\n');
}

function colouredLine(line: string): string {
  return line.replace(STATE, (_, before: string, state: ServiceStateName) => {
    return `${before}\x1b[${COLOUR_OF[state]}m${state}\x1b[0m`;
  });
}
