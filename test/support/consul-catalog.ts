/** An entry of the catalogue as Consul's health API shows it, cut to what the tests look at. */
interface CatalogEntry {
  id: string;
  address: string;
  port: number;
  tags: string[];
}

export interface NewEntry {
  id: string;
  name: string;
  port: number;
  address?: string;
  tags?: string[];
  meta?: Record<string, string>;
}

/** Puts an entry without a check into the catalogue: it passes until it is taken out, whatever happens to its owner. */
export async function registerEntry(consul: string, entry: NewEntry): Promise<void> {
  const { id, name, port, address = '127.0.0.1', tags = [], meta = {} } = entry;
  const body = JSON.stringify({ ID: id, Name: name, Address: address, Port: port, Tags: tags, Meta: meta });
  await put(`${consul}/v1/agent/service/register`, body);
}

export async function removeEntry(consul: string, id: string): Promise<void> {
  await put(`${consul}/v1/agent/service/deregister/${encodeURIComponent(id)}`);
}

/** The passing entries of a service. */
export async function passingEntries(consul: string, name: string): Promise<CatalogEntry[]> {
  const answer = await fetch(`${consul}/v1/health/service/${encodeURIComponent(name)}?passing`);
  if (!answer.ok) throw new Error(`Consul answered ${answer.status}`);
  type Entry = { Service: { ID: string; Address: string; Port: number; Tags: string[] | null } };
  const entries = (await answer.json()) as Entry[];
  return entries.map(({ Service: { ID, Address, Port, Tags } }) => ({
    id: ID,
    address: Address,
    port: Port,
    tags: Tags ?? [],
  }));
}

async function put(url: string, body?: string): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', ...(body === undefined ? {} : { body }) });
  if (!answer.ok) throw new Error(`Consul answered ${answer.status}: ${await answer.text()}`);
}
