import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** What the fake is told to answer instead of the truth. */
export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body: string;
}

export interface Asked {
  /** performance.now(), ms. */
  at: number;
  /** Path and query. */
  url: string;
  token: string | undefined;
}

interface Blocked {
  path: string;
  answer: () => void;
  /** Whether nobody answered it, and the one who asked is there. */
  waits: () => boolean;
  index: number;
}

export interface FakeConsulOptions {
  host?: string;
  port?: number;
  tls?: { key: string; cert: string; ca?: string; requestCert?: boolean };
  /** How long an idle connection stays open, ms; whoever asks is told, and closes it a second earlier. */
  keepAliveMs?: number;
}

const CATALOG = '/v1/catalog/services';
const ACCESS_PATH = '/v1/internal/acl/authorize';

/** A Consul that knows health, checks and catalog, blocks as Consul does, and lies when told to. */
export class FakeConsul {
  readonly asked: Asked[] = [];
  readonly sockets = new Set<Socket>();
  /** As X-Consul-Index says; grows with every change. */
  index = 10;
  /** The same for the catalog, which does not know of checks. */
  catalogIndex = 10;
  knownLeader = true;
  /** Whether the token may read this; undefined: ACLs are off. */
  mayRead: ((resource: 'service' | 'node', name: string) => boolean) | undefined;
  /** Whether it tells that it left something out, as agents do since 1.11. */
  tellsFiltered = false;
  /** Whether it can be asked what the token may read. */
  tellsAccess = true;
  /** Looked at before the truth is. */
  lie: (url: string) => Reply | 'hang' | undefined = () => undefined;
  readonly #server: Server;
  readonly #services = new Map<string, object[]>();
  #blocked: Blocked[] = [];

  private constructor({ tls, keepAliveMs = 3000 }: FakeConsulOptions) {
    const listener = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#server.keepAliveTimeout = keepAliveMs;
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async open(options: FakeConsulOptions = {}): Promise<FakeConsul> {
    const fake = new FakeConsul(options);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject).listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
    });
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Lists these entries for the service from now on. @param datacenter another than that of the agent */
  set(name: string, entries: object[], datacenter?: string): void {
    const service = nameIn(datacenter, name);
    const withoutChecks = (list: object[] = []) => JSON.stringify(list.map((entry) => ({ ...entry, Checks: [] })));
    const moved = withoutChecks(this.#services.get(service)) !== withoutChecks(entries);
    this.#services.set(service, entries);
    if (moved) this.catalogIndex = this.index + 1;
    this.move();
  }

  /** Raises the index and answers who waits for that. */
  move(index = this.index + 1): void {
    this.index = index;
    const waiting = this.#blocked;
    this.#blocked = [];
    for (const blocked of waiting) {
      if (blocked.index < this.#indexOf(blocked.path)) blocked.answer();
      else this.#blocked.push(blocked);
    }
  }

  /** How many questions wait for a change now. */
  get blocked(): number {
    return this.#blocked.filter(({ waits }) => waits()).length;
  }

  /** How many questions were asked of the path so far. */
  count(path: string): number {
    return this.asked.filter(({ url }) => url.startsWith(path)).length;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    this.asked.push({ at: performance.now(), url, token: request.headers['x-consul-token'] as string | undefined });
    const lie = this.lie(url);
    if (lie === 'hang') return;
    if (lie !== undefined) {
      response.writeHead(lie.status ?? 200, lie.headers).end(lie.body);
      return;
    }
    const { pathname, searchParams } = new URL(url, 'http://consul');
    const datacenter = searchParams.get('dc') ?? undefined;
    if (pathname === ACCESS_PATH) {
      void this.#authorize(request, response);
      return;
    }
    const index = Number(searchParams.get('index') ?? 0);
    let timer: NodeJS.Timeout | undefined;
    const answer = () => {
      clearTimeout(timer);
      this.#answer(pathname, datacenter, response);
    };
    if (index === 0 || this.#indexOf(pathname) > index) {
      answer();
      return;
    }
    const [, amount, unit] = /^(\d+)(m?s)$/.exec(searchParams.get('wait') ?? '300s') ?? [];
    timer = setTimeout(answer, Number(amount) * (unit === 's' ? 1000 : 1));
    response.on('close', () => clearTimeout(timer));
    const waits = () => !response.writableEnded && !response.destroyed;
    this.#blocked.push({ path: pathname, index, answer, waits });
  }

  #answer(path: string, datacenter: string | undefined, response: ServerResponse): void {
    if (response.writableEnded || response.destroyed) return;
    const headers: Record<string, string> = {
      'X-Consul-Index': String(this.#indexOf(path)),
      'X-Consul-KnownLeader': String(this.knownLeader),
    };
    const truth = this.#truth(path, datacenter);
    const seen = Array.isArray(truth) ? truth.filter((entry) => this.#sees(path, entry)) : truth;
    const isFiltered = Array.isArray(truth) && (seen as unknown[]).length < truth.length;
    if (isFiltered && this.tellsFiltered) headers['X-Consul-Results-Filtered-By-ACLs'] = 'true';
    response.writeHead(200, headers).end(JSON.stringify(seen));
  }

  /** Whether an entry, or a check, is in the token's sight. */
  #sees(path: string, { Node: node, ServiceName: name }: { Node: string | { Node: string }; ServiceName?: string }) {
    const { mayRead } = this;
    if (mayRead === undefined) return true;
    const service = name ?? decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
    return mayRead('node', typeof node === 'string' ? node : node.Node) && mayRead('service', service);
  }

  async #authorize(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { mayRead, tellsAccess } = this;
    if (!tellsAccess) response.writeHead(404).end();
    else if (mayRead === undefined) response.writeHead(401).end('ACL support disabled');
    else {
      const asked = JSON.parse(body) as { Resource: 'service' | 'node'; Segment: string }[];
      if (asked.length > 64) response.writeHead(400).end('Refusing to process more than 64 authorizations at once');
      else
        response.end(JSON.stringify(asked.map((each) => ({ ...each, Allow: mayRead(each.Resource, each.Segment) }))));
    }
  }

  #indexOf(path: string): number {
    return path === CATALOG ? this.catalogIndex : this.index;
  }

  #truth(path: string, datacenter: string | undefined): unknown {
    const [, service] = /^\/v1\/health\/service\/(.+)$/.exec(path) ?? [];
    if (service !== undefined) return this.#services.get(nameIn(datacenter, decodeURIComponent(service))) ?? [];
    const ofAll = [...this.#services].map(([name, entries]) => [name.split('\n'), entries] as const);
    const here = ofAll.filter(([[, where], entries]) => where === datacenter && entries.length > 0);
    const filled = here.map(([[name = ''], entries]) => [name, entries] as const);
    const tagsOf = (entries: object[]) => [
      ...new Set((entries as ReturnType<typeof healthEntry>[]).flatMap(({ Service }) => Service.Tags)),
    ];
    if (path === CATALOG) return Object.fromEntries(filled.map(([name, entries]) => [name, tagsOf(entries)]));
    return filled.flatMap(([name, entries]) =>
      (entries as ReturnType<typeof healthEntry>[]).flatMap(({ Node, Service, Checks }) =>
        Checks.map((check) => ({ Node: Node.Node, ServiceID: Service.ID, ServiceName: name, ...check })),
      ),
    );
  }
}

/** What tells a service from one of the same name in another datacenter. */
function nameIn(datacenter: string | undefined, name: string): string {
  return datacenter === undefined ? name : `${name}\n${datacenter}`;
}

/** An entry as the health API lists it. */
export function healthEntry(entry: {
  id?: string;
  port?: unknown;
  address?: string;
  node?: string;
  tags?: string[];
  meta?: Record<string, string>;
  weights?: { Passing: number; Warning: number };
  checks?: { CheckID: string; Status: string }[];
  more?: object;
}) {
  const { id = 'one', port = 8001, address = '10.0.0.1', node = 'n1', tags = [], meta = {} } = entry;
  const { weights = { Passing: 1, Warning: 1 }, checks = [{ CheckID: `service:${id}`, Status: 'passing' }] } = entry;
  return {
    Node: { ID: '', Node: node, Address: '10.9.9.9' },
    Service: {
      ID: id,
      Service: 'shop',
      Tags: tags,
      Address: address,
      Port: port,
      Weights: weights,
      Meta: meta,
      ...entry.more,
    },
    Checks: checks,
  };
}
