import { printable } from '../util/printable.ts';

const LONGEST = 2000;

/** A line of the log for people: `12:03:04.123 WARN  message  field=value …`, in local time. @param line one JSON object */
export function prettyLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const told = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  const begin = `${timeOfDay(String(time))} ${String(level).toUpperCase().padEnd(5)}`;
  return `${printable([begin, String(msg), ...told].join(' '), LONGEST)}\n`;
}

function valueText(value: unknown): string {
  const isPlain = typeof value === 'string' && /^[^\s"=]+$/.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function timeOfDay(iso: string): string {
  const date = new Date(iso);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
