import { PilotlightError } from '../model/errors.ts';
import { sleep } from '../util/clock.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { declarationLines } from './declaration-lines.ts';
import { statusTable } from './status-table.ts';
import type { Terminal } from './terminal.ts';

interface StatusOptions extends AdminOptions {
  json?: true;
  watch?: true;
}

/** Pause between two drawings, ms. */
const REDRAW_MS = 1000;
/** Moves to the upper left corner and clears what is below. */
const HOME_AND_CLEAR = '\x1b[H\x1b[J';
const CLEAR_ALL = '\x1b[2J';

/**
 * `status`: the services as a table or as JSON, once or (`watch`) every second until the signal.
 * @throws what `findAdmin` and the admin client throw
 */
export async function showStatus(given: StatusOptions, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  const draw = async () => {
    const services = await client.services(signal);
    // The services alone are what other programs read.
    const declarations = given.json === true ? [] : await client.declarations(signal);
    return [render(services, given, terminal), ...declarationLines(declarations)].join('\n');
  };
  const first = await draw();
  if (given.watch !== true) {
    terminal.out(first);
    return 0;
  }
  const redraw = terminal.interactive && given.json !== true;
  if (redraw) terminal.out(CLEAR_ALL);
  for (let text = first; !signal.aborted; text = await drawAgain(draw)) {
    terminal.out(redraw ? HOME_AND_CLEAR + text : text);
    await sleep(terminal.clock, REDRAW_MS, signal).catch(() => undefined);
  }
  return 0;
}

/** A proxy that restarts is waited for: the line stands where the table was. */
async function drawAgain(draw: () => Promise<string>): Promise<string> {
  try {
    return await draw();
  } catch (error) {
    if (error instanceof PilotlightError) return error.message;
    throw error;
  }
}

function render(
  services: Awaited<ReturnType<AdminClient['services']>>,
  { json, watch }: StatusOptions,
  { clock, columns }: Terminal,
): string {
  // Watched, every answer is one line, so that another program can read them as they come.
  if (json === true) return JSON.stringify(services, null, watch === true ? 0 : 2);
  return statusTable(services, clock.wall(), columns());
}
