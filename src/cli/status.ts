import { PilotlightError } from '../model/errors.ts';
import { sleep } from '../util/clock.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { clusterLines } from './cluster-text.ts';
import { colouredStatus, hasColours } from './colours.ts';
import { declarationLines } from './declaration-lines.ts';
import { memoryLines } from './memory-text.ts';
import { statusTable } from './status-table.ts';
import type { Terminal } from './terminal.ts';
import { watchStatus } from './watch.ts';
import type { Answer } from './watch-view.ts';

interface StatusOptions extends AdminOptions {
  json?: true;
  names?: true;
  watch?: true;
}

/** Pause between two tables that are printed one below the other, ms. */
const AGAIN_MS = 1000;

/**
 * `status`: the services as a table, as JSON, or their names only; once, or (`watch`) until the signal: on the whole
 * screen for a person, else one below the other.
 * @throws what `findAdmin` and the admin client throw at the first try
 */
export async function showStatus(given: StatusOptions, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const target = await findAdmin(given, terminal);
  const client = createAdminClient(target);
  const { out, interactive, clock } = terminal;
  const ask = async (): Promise<Answer> => {
    const services = await client.services(signal);
    // The services alone are what other programs read.
    const isTable = given.json !== true && given.names !== true;
    return { services, below: isTable ? await below(client, signal) : [] };
  };
  const first = await ask();
  if (given.watch === true && interactive && given.json !== true && given.names !== true) {
    const screen = terminal.openScreen();
    try {
      await watchStatus(first, ask, target.url, screen, terminal, signal);
    } finally {
      screen.close();
    }
    return 0;
  }
  out(render(first, given, terminal));
  while (given.watch === true && !signal.aborted) {
    await sleep(clock, AGAIN_MS, signal).catch(() => undefined);
    if (signal.aborted) break;
    out(await again(async () => render(await ask(), given, terminal)));
  }
  return 0;
}

/** What stands below the table. An older proxy knows of no such things, and its services are worth showing. */
async function below(client: AdminClient, signal: AbortSignal): Promise<string[]> {
  const lines = [
    client.budget(signal).then(({ memory }) => memoryLines(memory)),
    client.cluster(signal).then(clusterLines),
    client.declarations(signal).then(declarationLines),
  ];
  const told = lines.map((each) =>
    each.catch((error: unknown): string[] => {
      if (error instanceof PilotlightError && error.code === 'ADMIN_REFUSED') return [];
      throw error;
    }),
  );
  return (await Promise.all(told)).flat();
}

/** A proxy that restarts is waited for: the line stands where the table would. */
async function again(draw: () => Promise<string>): Promise<string> {
  try {
    return await draw();
  } catch (error) {
    if (error instanceof PilotlightError) return error.message;
    throw error;
  }
}

function render(
  { services, below }: Answer,
  { json, names, watch }: StatusOptions,
  { clock, columns, interactive, env }: Terminal,
): string {
  // Watched, every answer is one line, so that another program can read them as they come.
  if (json === true) return JSON.stringify(services, null, watch === true ? 0 : 2);
  if (names === true) return services.map(({ name }) => name).join('\n');
  const table = statusTable(services, clock.wall(), columns());
  const coloured = hasColours(interactive, env) && services.length > 0 ? colouredStatus(table) : table;
  return [coloured, ...below].join('\n');
}
