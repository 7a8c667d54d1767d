import { onTestFinished } from 'vitest';
import { createAdmin } from '../../src/admin/create-admin.ts';
import { createRouteBook } from '../../src/edge/route/route-book.ts';
import { type LogLevel, type LogLevelPort, silentLogger } from '../../src/model/observe.ts';
import type { ReloadResult } from '../../src/model/reload.ts';
import type { RouteBook } from '../../src/model/routes.ts';
import type { RouteView } from '../../src/model/snapshot.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { exchange, head, type RawAnswer } from './exchange.ts';
import { FakeControl } from './fake-control.ts';

export interface ServedAdmin {
  control: FakeControl;
  clock: VirtualClock;
  port: number;
  /** Sends a request with a proper Host unless `fields` say otherwise. */
  ask(method: string, path: string, fields?: Record<string, string>): Promise<RawAnswer>;
  close(): Promise<void>;
}

/** The book of these routes, without listeners. */
export function routeBook(routes: RouteView[]): RouteBook {
  const table = { routes, services: [], trustedProxies: [], heldBytes: 0 };
  return createRouteBook({ table: () => table, listeners: () => [], logger: silentLogger });
}

/** The admin API over a fake control plane on a free loopback port; closed when the test ends. */
export async function serveAdmin({
  host = '127.0.0.1',
  port: wanted = 0,
  token,
  reload,
}: {
  host?: string;
  /** 0: any that is free. */
  port?: number;
  token?: string;
  reload?: () => Promise<ReloadResult>;
} = {}): Promise<ServedAdmin> {
  const control = new FakeControl();
  const clock = new VirtualClock();
  const settings = { address: { host, port: wanted }, token };
  const routes = routeBook([{ host: 'shop.example.com', path: '/', service: 'shop' }]);
  const renderMetrics = () => '# TYPE pilotlight_held gauge\n';
  let level: LogLevel = 'info';
  const logLevel: LogLevelPort = {
    get: () => level,
    set: (next) => {
      level = next;
    },
  };
  const admin = createAdmin({
    logLevel,
    settings,
    api: control,
    reload,
    routes,
    renderMetrics,
    logger: silentLogger,
    clock,
  });
  const { port } = await admin.listen();
  onTestFinished(() => admin.close());
  return {
    control,
    clock,
    port,
    ask: (method, path, fields = {}) => exchange(port, head(method, path, { Host: `127.0.0.1:${port}`, ...fields })),
    close: () => admin.close(),
  };
}
