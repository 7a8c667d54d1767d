import type { LogLevel } from '../model/observe.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';

/** `log-level [LEVEL]`: the level of the log of a running proxy, changed until its end where one is given. */
export async function showLogLevel(
  level: LogLevel | undefined,
  given: AdminOptions & { json?: true },
  terminal: Terminal,
): Promise<number> {
  const answer = await createAdminClient(await findAdmin(given, terminal)).logLevel(level);
  const text = `the log level is ${level === undefined ? '' : 'now '}${answer.level}`;
  terminal.out(given.json === true ? JSON.stringify(answer) : text);
  return 0;
}
