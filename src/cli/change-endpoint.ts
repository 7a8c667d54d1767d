import { PilotlightError } from '../model/errors.ts';
import type { EndpointByHand } from '../model/status.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { endpointsText } from './endpoints.ts';
import type { Terminal } from './terminal.ts';

interface ChangeOptions extends AdminOptions {
  json?: true;
}

/** What has it weigh as its source says again. */
const AS_LISTED = 'listed';

/** `drain SERVICE ADDRESS`, `undrain SERVICE ADDRESS`: takes an endpoint out, or back. */
export function drainEndpoint(
  [service = '', address = '']: readonly string[],
  drain: boolean,
  given: ChangeOptions,
  terminal: Terminal,
): Promise<number> {
  return change(service, address, { drain }, given, terminal);
}

/** `weight SERVICE ADDRESS WEIGHT`: what share of the requests it gets. @throws USAGE */
export async function weighEndpoint(
  [service = '', address = '', weight = '']: readonly string[],
  given: ChangeOptions,
  terminal: Terminal,
): Promise<number> {
  if (weight !== AS_LISTED && !(/^\d{1,5}$/.test(weight) && Number(weight) <= 65_535)) {
    const message = `"weight" needs a whole number from 0 to 65535, or "${AS_LISTED}", not "${weight}"`;
    throw new PilotlightError('USAGE', message);
  }
  return change(service, address, { weight: weight === AS_LISTED ? null : Number(weight) }, given, terminal);
}

async function change(
  service: string,
  address: string,
  what: Partial<EndpointByHand>,
  given: ChangeOptions,
  terminal: Terminal,
): Promise<number> {
  const client = createAdminClient(await findAdmin(given, terminal));
  const endpoints = await client.changeEndpoint(service, address, what);
  terminal.out(given.json === true ? JSON.stringify(endpoints, null, 2) : endpointsText(service, endpoints));
  return 0;
}
