import { PilotlightError } from '../model/errors.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';

interface LogsOptions extends AdminOptions {
  lines?: string;
  json?: true;
}

const DEFAULT_LINES = 50;
const MOST_LINES = 1000;

/** `logs SERVICE`: what each replica wrote last; where none runs, what the last failed start wrote. @throws USAGE */
export async function showLogs(name: string, given: LogsOptions, terminal: Terminal): Promise<number> {
  const lines = given.lines === undefined ? DEFAULT_LINES : Number(given.lines);
  if (!Number.isInteger(lines) || lines < 1 || lines > MOST_LINES) {
    throw new PilotlightError('USAGE', `--lines is a number from 1 to ${MOST_LINES}, not "${given.lines}"`);
  }
  const replicas = await createAdminClient(await findAdmin(given, terminal)).logs(name, lines);
  const { out } = terminal;
  if (given.json === true) {
    out(JSON.stringify(replicas, null, 2));
    return 0;
  }
  if (replicas.length === 0) out(`no replica of ${name} runs that Pilotlight started`);
  for (const { replica, state, lines: written } of replicas) {
    out(`${replica} (${state === 'failed' ? 'the last failed start' : state})`);
    for (const line of written.length === 0 ? ['wrote nothing'] : written) out(`  ${line}`);
  }
  return 0;
}
