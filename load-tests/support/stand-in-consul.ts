import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An instance of a service, with the one check that it has. */
export interface FleetInstance {
  id: string;
  service: string;
  node: string;
  address: string;
  port: number;
  /** Its weight while it passes. */
  weight: number;
}

interface Listed {
  instance: FleetInstance;
  entry: string;
  check: string;
}

interface Waiting {
  index: number;
  answer: () => void;
}

const [OPEN, COMMA, CLOSE] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
const [CHECKS, CATALOG] = ['/v1/health/state/any', '/v1/catalog/services'];

/**
 * Answers what a proxy asks of Consul about a fleet, by Consul's rules: an index that every change raises, questions that
 * wait until it exceeds theirs, entries in a fixed order. It changes and lists ten thousand instances at less cost than an
 * agent, which on a small machine is what a load test measures otherwise.
 */
export class StandInConsul {
  address = '';
  /** Questions that were asked, and the most that were open at once. */
  asked = 0;
  mostOpen = 0;
  readonly #server = createServer((request, response) => this.#serve(request.url ?? '', response));
  readonly #listed = new Map<string, Listed>();
  readonly #byService = new Map<string, Map<string, Listed>>();
  /** The checks of each service as they are written: few of thousands change between two answers. */
  readonly #checks = new Map<string, Buffer>();
  readonly #waiting = new Map([CHECKS, CATALOG].map((path) => [path, new Set<Waiting>()]));
  #index = 10;
  #catalogIndex = 10;
  #open = 0;

  static async open(): Promise<StandInConsul> {
    const standIn = new StandInConsul();
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    standIn.address = `http://127.0.0.1:${(standIn.#server.address() as AddressInfo).port}`;
    return standIn;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async set(instance: FleetInstance, status: 'passing' | 'critical'): Promise<void> {
    const before = this.#listed.get(instance.id);
    this.#index++;
    const listed = { instance, ...written(instance, status, this.#index) };
    this.#listed.set(instance.id, listed);
    const ofService = this.#byService.get(instance.service) ?? new Map<string, Listed>();
    this.#byService.set(instance.service, ofService.set(instance.id, listed));
    this.#changed(instance.service, before === undefined);
  }

  async remove({ id, service }: FleetInstance): Promise<void> {
    this.#index++;
    this.#listed.delete(id);
    this.#byService.get(service)?.delete(id);
    this.#changed(service, true);
  }

  #changed(service: string, isCatalog: boolean): void {
    const checks = [...(this.#byService.get(service)?.values() ?? [])].map(({ check }) => check);
    this.#checks.set(service, Buffer.from(checks.join(',')));
    if (isCatalog) this.#catalogIndex = this.#index;
    for (const [path, waiting] of this.#waiting) {
      for (const one of [...waiting]) {
        if (this.#indexOf(path) <= one.index) continue;
        waiting.delete(one);
        one.answer();
      }
    }
  }

  #indexOf(path: string): number {
    return path === CATALOG ? this.#catalogIndex : this.#index;
  }

  #serve(url: string, response: ServerResponse): void {
    this.asked++;
    this.#open++;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    response.once('close', () => this.#open--);
    const { pathname, searchParams } = new URL(url, 'http://consul');
    const index = Number(searchParams.get('index') ?? 0);
    const answer = () => this.#answer(pathname, response);
    const waiting = this.#waiting.get(pathname);
    if (index === 0 || waiting === undefined || this.#indexOf(pathname) > index) answer();
    else {
      const one = { index, answer };
      waiting.add(one);
      response.once('close', () => waiting.delete(one));
    }
  }

  #answer(path: string, response: ServerResponse): void {
    const headers = { 'X-Consul-Index': String(this.#indexOf(path)), 'X-Consul-KnownLeader': 'true' };
    if (path === '/v1/internal/acl/authorize') response.writeHead(401).end('ACL support disabled');
    else response.writeHead(200, headers).end(this.#body(path));
  }

  #allChecks(): Buffer {
    const parts = [...this.#checks.values()].filter(({ length }) => length > 0).flatMap((checks) => [COMMA, checks]);
    return Buffer.concat([OPEN, ...parts.slice(1), CLOSE]);
  }

  #body(path: string): string | Buffer {
    if (path === CHECKS) return this.#allChecks();
    if (path === CATALOG)
      return JSON.stringify(Object.fromEntries([...this.#byService.keys()].map((name) => [name, []])));
    const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
    return `[${[...(this.#byService.get(name)?.values() ?? [])].map(({ entry }) => entry).join(',')}]`;
  }
}

function written(instance: FleetInstance, status: string, index: number): { entry: string; check: string } {
  const { id, service, node, address, port, weight } = instance;
  const check = {
    ...{ Node: node, CheckID: `service:${id}`, Name: `Service '${service}' check`, Status: status, Notes: '' },
    ...{ Output: `TCP connect ${address}:${port}: Success`, ServiceID: id, ServiceName: service, ServiceTags: [] },
    ...{ Type: 'tcp', Definition: {}, CreateIndex: 10, ModifyIndex: index },
  };
  const entry = {
    Node: { ID: '', Node: node, Address: '10.0.0.1', Datacenter: 'dc1', Meta: {} },
    Service: {
      ...{ ID: id, Service: service, Tags: [], Address: address, Port: port, Meta: {} },
      Weights: { Passing: weight, Warning: 1 },
    },
    Checks: [check],
  };
  return { entry: JSON.stringify(entry), check: JSON.stringify(check) };
}
