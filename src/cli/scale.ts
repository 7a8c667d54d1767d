import { PilotlightError } from '../model/errors.ts';
import { formatDuration } from '../util/units.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';

interface ScaleOptions extends AdminOptions {
  'dry-run'?: true;
  json?: true;
}

/** `scale SERVICE N`: has it run N replicas at once, and says what keeps some of them waiting. @throws USAGE */
export async function scaleService(
  name: string,
  count: string,
  given: ScaleOptions,
  terminal: Terminal,
): Promise<number> {
  const { out } = terminal;
  if (!/^\d{1,9}$/.test(count)) {
    throw new PilotlightError('USAGE', `"scale" needs a whole number of replicas, not "${count}"`);
  }
  const client = createAdminClient(await findAdmin(given, terminal));
  const scaled = await client.scale(name, Number(count), given['dry-run'] === true);
  if (given.json === true) {
    out(JSON.stringify(scaled, null, 2));
    return 0;
  }
  const { from, to, min, max, limits, cooldownMs, dryRun } = scaled;
  const alone = cooldownMs === 0 ? '' : `, then left alone for ${formatDuration(cooldownMs)}`;
  out(`${name} ${dryRun ? 'would scale' : 'scales'} ${from}→${to} (min ${min}, max ${max})${alone}`);
  for (const limit of limits) out(`  ${limit}`);
  return 0;
}
