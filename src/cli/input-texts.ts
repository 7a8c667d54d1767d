import { formatDuration } from '../util/units.ts';

/** Inputs that say how the service stood, before rates; what guards say has the others, and `--json` all of them. */
const SHOWN = [
  'ready',
  'starting',
  'warming',
  'sick',
  'wanted',
  'external',
  'inFlight',
  'load',
  'queued',
  'held',
  'samples',
  'quantileMs',
  'aboveMs',
  'lowLoadMs',
  'idleForMs',
  'idleMs',
];

/** The numbers of a decision that matter to people, each with its name and unit: `arrivals 130/s`. */
export function inputTexts(inputs: Readonly<Record<string, number>>): string[] {
  const names = [...SHOWN, ...Object.keys(inputs).filter((name) => name.endsWith('PerSecond'))];
  return names.flatMap((name) => {
    const value = inputs[name];
    // A count of nothing is no news, but that nothing is ready is.
    return value === undefined || (value === 0 && name !== 'ready') ? [] : [inputText(name, value)];
  });
}

function inputText(name: string, value: number): string {
  if (name.endsWith('PerSecond')) return `${words(name.slice(0, -'PerSecond'.length))} ${short(value)}/s`;
  if (name.endsWith('Ms')) return `${words(name.slice(0, -'Ms'.length))} ${formatDuration(value)}`;
  return `${words(name)} ${short(value)}`;
}

/** `peakArrivals` as `peak arrivals`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function short(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) < 10 ? 1 : 0)));
}
