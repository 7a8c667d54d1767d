import type { ServiceStatus } from '../model/status.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';

interface FreezeOptions extends AdminOptions {
  for?: string;
  reason?: string;
}

/** `freeze [SERVICE]`: it, or each of them, is neither scaled nor put to sleep for a while. */
export async function freezeServices(
  name: string | undefined,
  { for: time, reason, ...given }: FreezeOptions,
  terminal: Terminal,
): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  return tell(await client.freeze(name, { ...(time && { for: time }), ...(reason && { reason }) }), terminal);
}

/** `unfreeze [SERVICE]`: as before. */
export async function unfreezeServices(
  name: string | undefined,
  given: AdminOptions,
  terminal: Terminal,
): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  return tell(await client.unfreeze(name), terminal);
}

function tell(services: ServiceStatus[], { out }: Terminal): number {
  if (services.length === 0) out('no service can be started or stopped');
  for (const { name, frozen } of services) out(`${name} is ${frozen === null ? 'not frozen' : frozenText(frozen)}`);
  return 0;
}

/** `frozen until 2026-11-29T12:00:00.000Z (release)` */
export function frozenText({ until, reason }: NonNullable<ServiceStatus['frozen']>): string {
  return `frozen until ${until}${reason === null ? '' : ` (${reason})`}`;
}
