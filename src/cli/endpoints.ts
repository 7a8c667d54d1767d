import type { EndpointStatus } from '../model/status.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { plainTable } from './plain-table.ts';
import type { Terminal } from './terminal.ts';

interface EndpointsOptions extends AdminOptions {
  json?: true;
}

/** `endpoints SERVICE`: where it is, who says so, and why an address is out of use. */
export async function showEndpoints(name: string, given: EndpointsOptions, terminal: Terminal): Promise<number> {
  const endpoints = await createAdminClient(await findAdmin(given, terminal)).endpoints(name);
  terminal.out(given.json === true ? JSON.stringify(endpoints, null, 2) : endpointsText(name, endpoints));
  return 0;
}

export function endpointsText(name: string, endpoints: readonly EndpointStatus[]): string {
  if (endpoints.length === 0) return `${name} has no endpoint at present`;
  const rows = endpoints.map((endpoint) => [
    endpoint.address,
    sourceCell(endpoint),
    endpoint.reason === null ? 'in use' : `out of use: ${endpoint.reason}`,
    weightCell(endpoint),
    endpoint.maxConnections === 0 ? '–' : String(endpoint.maxConnections),
    String(endpoint.inFlight),
  ]);
  const right = ['weight', 'at most', 'in flight'];
  return plainTable(['address', 'source', 'state', ...right], rows, right);
}

/** `pilotlight (shop-1)`, `static, consul`. */
function sourceCell({ source, replica, alsoListedBy }: EndpointStatus): string {
  return [replica === null ? source : `${source} (${replica})`, ...alsoListedBy].join(', ');
}

/** `5 (backup, by hand)`. */
function weightCell({ weight, backup, byHand }: EndpointStatus): string {
  const said = [...(backup ? ['backup'] : []), ...((byHand?.weight ?? null) === null ? [] : ['by hand'])];
  return said.length === 0 ? String(weight) : `${weight} (${said.join(', ')})`;
}
