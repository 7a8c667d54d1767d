import type { ServiceStatus } from '../model/status.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';

interface UnfreezeOptions extends AdminOptions {
  'dry-run'?: true;
  json?: true;
}

interface FreezeOptions extends UnfreezeOptions {
  for?: string;
  reason?: string;
}

/** `freeze [SERVICE]`: it, or each of them, is neither scaled nor put to sleep for a while. */
export async function freezeServices(
  name: string | undefined,
  { for: time, reason, 'dry-run': isDry, json, ...given }: FreezeOptions,
  terminal: Terminal,
): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  const dryRun = isDry === true;
  const how = { ...(time && { for: time }), ...(reason && { reason }), dryRun };
  return tell(await client.freeze(name, how), { dryRun, json }, terminal);
}

/** `unfreeze [SERVICE]`: as before. */
export async function unfreezeServices(
  name: string | undefined,
  { 'dry-run': isDry, json, ...given }: UnfreezeOptions,
  terminal: Terminal,
): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  const dryRun = isDry === true;
  return tell(await client.unfreeze(name, { dryRun }), { dryRun, json }, terminal);
}

function tell(
  services: ServiceStatus[],
  { dryRun, json }: { dryRun: boolean; json: true | undefined },
  { out }: Terminal,
): number {
  if (json === true) {
    out(JSON.stringify(services, null, 2));
    return 0;
  }
  if (services.length === 0) out('no service can be started or stopped');
  const [is, isNot] = dryRun ? ['would be', 'would not be frozen'] : ['is', 'is not frozen'];
  for (const { name, frozen } of services) out(`${name} ${frozen === null ? isNot : `${is} ${frozenText(frozen)}`}`);
  return 0;
}

/** `frozen until 2026-11-29T12:00:00.000Z (release)` */
export function frozenText({ until, reason }: NonNullable<ServiceStatus['frozen']>): string {
  return `frozen until ${until}${reason === null ? '' : ` (${reason})`}`;
}
