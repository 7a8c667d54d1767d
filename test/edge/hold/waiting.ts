import type { EdgeHarness } from '../edge-harness.ts';
import type { Client } from '../wire.ts';

/** Clients with one request each, sent one after the other so that their order is known. */
export async function waiting(h: EdgeHarness, count: number, fields = ''): Promise<Client[]> {
  const clients: Client[] = [];
  for (let index = 0; index < count; index++) {
    const client = await h.connect();
    client.get(`/${index}`, fields);
    clients.push(client);
    await h.held(index + 1);
  }
  return clients;
}
