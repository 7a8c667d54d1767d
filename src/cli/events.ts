import { PilotlightError } from '../model/errors.ts';
import { sleep } from '../util/clock.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { createEventPrinter } from './event-printer.ts';
import type { Terminal } from './terminal.ts';

/** Pause before a proxy that went away is asked again, ms. */
const RETRY_MS = 1000;

/**
 * `events [SERVICE]`: a line for each thing that happens, until the signal. A proxy that goes away is waited for.
 * @throws what `findAdmin` and the admin client throw at the first try
 */
export async function showEvents(
  service: string | undefined,
  given: AdminOptions & { json?: true },
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { clock, err } = terminal;
  const out = (line: string) => terminal.out(line);
  const client = createAdminClient(await findAdmin(given, terminal));
  const services = await client.services(signal);
  const names = services.map(({ name }) => name);
  if (service !== undefined && !names.includes(service)) await client.service(service, signal);
  const print = given.json === true ? undefined : createEventPrinter(service === undefined ? names : [service], out);
  let isAway = false;
  while (!signal.aborted) {
    try {
      for await (const event of client.events(signal)) {
        isAway = false;
        if (service !== undefined && event.service !== service) continue;
        if (print === undefined) out(JSON.stringify(event));
        else print(event);
      }
      if (!isAway && !signal.aborted) err('the proxy has gone: waiting for it');
      isAway = true;
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof PilotlightError) || error.code !== 'ADMIN_UNREACHABLE') throw error;
      if (!isAway) err(`${error.message.split(':')[0]}: waiting for it`);
      isAway = true;
    }
    await sleep(clock, RETRY_MS, signal).catch(() => undefined);
  }
  return 0;
}
