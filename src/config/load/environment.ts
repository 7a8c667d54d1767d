import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from '../check/report.ts';
import type { Parsed } from '../check/validate.ts';
import type { Env } from '../read/substitute.ts';
import { type PartName, partList, type Uses } from '../schema/parts.ts';

/** What the environment says where the file is silent; empty variables count as absent. */
export interface EnvironmentDefaults {
  state: string;
  /** Of sections that are in use, the keys that the file does not set. */
  parts: Partial<Record<PartName, Record<string, string>>>;
}

/** @param uses which sections are in use: only their variables are read, and only what the file does not set */
export function environmentDefaults(env: Env, { sections }: Parsed, uses: Uses, report: Report): EnvironmentDefaults {
  const parts: EnvironmentDefaults['parts'] = {};
  for (const [name, { environment }] of partList) {
    if (!uses[name]) continue;
    const defaults: Record<string, string> = {};
    parts[name] = defaults;
    const section = sections[name] as Record<string, unknown> | undefined;
    for (const [key, { variable, read, expected, otherwise }] of Object.entries(environment)) {
      if (section?.[key] !== undefined) continue;
      const text = env[variable] || undefined;
      const reading = text === undefined ? undefined : read(text);
      const value = reading !== undefined && 'value' in reading ? reading.value : otherwise;
      if (value !== undefined) defaults[key] = value;
      if (text === undefined || (reading !== undefined && 'value' in reading)) continue;
      report.problem([[name]], `${variable}: ${reading?.fault ?? `expected ${expected}`}`);
    }
  }
  return { state: stateDirectory(env), parts };
}

/** Where records are kept unless the file says so. systemd may give several directories; the first is taken. */
function stateDirectory(env: Env): string {
  const given = env['STATE_DIRECTORY']?.split(':', 1)[0];
  if (given) return resolve(given);
  if (env['XDG_STATE_HOME']) return resolve(env['XDG_STATE_HOME'], 'pilotlight');
  if (process.getuid?.() === 0) return '/var/lib/pilotlight';
  return join(env['HOME'] || homedir(), '.local/state/pilotlight');
}
