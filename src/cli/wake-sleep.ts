import type { ServiceStatus } from '../model/status.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import type { Terminal } from './terminal.ts';

/** `wake SERVICE`: starts it unless it runs; does not wait until it is ready. */
export async function wakeService(name: string, given: AdminOptions, terminal: Terminal): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  return tell(await client.wake(name), terminal);
}

/** `sleep SERVICE`: retires every replica; requests under way finish first. */
export async function sleepService(name: string, given: AdminOptions, terminal: Terminal): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  return tell(await client.sleep(name), terminal);
}

function tell({ name, state }: ServiceStatus, terminal: Terminal): number {
  terminal.out(`${name} is ${state}`);
  return 0;
}
