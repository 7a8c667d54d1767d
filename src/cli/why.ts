import { PilotlightError } from '../model/errors.ts';
import { parseSince } from '../util/since.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';
import { whyText } from './why-text.ts';

interface WhyOptions extends AdminOptions {
  since?: string;
  json?: true;
}

/** So many are shown where nothing is said of since when. */
const SHOWN = 20;

/**
 * `why SERVICE`: the last decisions about a service, with all that led to each and what came of it.
 * @throws USAGE, and what `findAdmin` and the admin client throw
 */
export async function showWhy(name: string, given: WhyOptions, terminal: Terminal): Promise<number> {
  const { clock, out, columns } = terminal;
  const { since, json } = given;
  if (since !== undefined && parseSince(since, clock.wall()) === undefined) {
    const message = `--since is a duration such as 10m, or a time such as 2026-11-29T12:00:00Z, not "${since}"`;
    throw new PilotlightError('USAGE', message);
  }
  const why = await createAdminClient(await findAdmin(given, terminal)).why(name, since);
  const most = since === undefined ? SHOWN : Number.POSITIVE_INFINITY;
  out(json === true ? JSON.stringify(why, null, 2) : whyText(why, most, clock.wall(), columns()));
  return 0;
}
