import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { type Cores, startPinned, untilListening } from '../support/process.ts';
import { checkoutAt, OWN_ROOT } from './checkout.ts';
import type { Tool } from './tools.ts';
import { nginxHttp, nginxMain } from './upstreams.ts';

/** A proxy that runs (or, for `direct`, the upstream itself). */
export interface Subject {
  /** As the table calls it. */
  name: string;
  /** Which of a workload's variants it is; undefined where there are none. */
  variant?: string;
  /** It is the other state of Pilotlight, which this one is compared with. */
  isBefore?: boolean;
  port: number;
  /** Its first process; undefined for `direct`. */
  pid: number | undefined;
  /** Where Pilotlight's metrics are; undefined for others. */
  adminPort: number | undefined;
}

/** What a proxy is started with. */
export interface Ground {
  /** For configurations and state; a folder of the proxy's own. */
  folder: string;
  core: Cores;
  /** Loopback port that it forwards everything to. */
  upstream: number;
  /** The words that follow `node`, of Pilotlight only; undefined: those of this checkout. */
  command?: readonly string[];
}

/** Proxies that compare themselves with Pilotlight, and the tools that they need. */
export const PROXIES: Record<string, { tool?: Tool; start: (ground: Ground) => Promise<Subject> }> = {
  pilotlight: { start: (ground) => startPilotlight('pilotlight', ground) },
  haproxy: { tool: 'haproxy', start: startHaproxy },
  nginx: { tool: 'nginx', start: startNginx },
  caddy: { tool: 'caddy', start: startCaddy },
  'http-proxy': { start: startHttpProxy },
  direct: { start: async ({ upstream }) => subject('direct', upstream, undefined) },
};

/** Keys of Pilotlight's configuration that differ from one service for everything. */
export type Extra = Record<string, unknown>;

/** Pilotlight with the flags of Node that its own script has. */
export async function startPilotlight(name: string, ground: Ground, extra: Extra = {}): Promise<Subject> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = join(ground.folder, 'pilotlight.json');
  const settings = {
    // The bound on connections, 10,000 by default, is not what load tests are about.
    listen: [{ address: `127.0.0.1:${port}`, limits: { connections: 20_000 } }],
    admin: { address: `127.0.0.1:${adminPort}` },
    state: join(ground.folder, 'state'),
    services: { app: { routes: [{ path: '/' }], endpoints: { static: [`127.0.0.1:${ground.upstream}`] } } },
    ...extra,
  };
  await writeFile(config, JSON.stringify(settings));
  const { command = checkoutAt(OWN_ROOT).command } = ground;
  const { pid } = startPinned(ground.core, [process.execPath, ...command, 'run', '-c', config], {
    NODE_ENV: 'production',
  });
  await untilListening(port);
  return { name, port, pid, adminPort };
}

async function startHaproxy({ folder, core, upstream }: Ground): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  await writeFile(
    config,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend app
backend app
  server app 127.0.0.1:${upstream}
`,
  );
  const { pid } = startPinned(core, ['haproxy', '-db', '-f', config]);
  await untilListening(port);
  return subject('haproxy', port, pid);
}

async function startNginx({ folder, core, upstream }: Ground): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `${nginxMain(folder, 'nginx')}
http {
  ${nginxHttp(folder, 'nginx')}
  proxy_max_temp_file_size 0;
  map $http_upgrade $hop { default upgrade; '' ''; }
  upstream app { server 127.0.0.1:${upstream}; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection $hop;
      proxy_set_header Upgrade $http_upgrade;
    }
  }
}
`,
  );
  const { pid } = startPinned(core, ['nginx', '-c', config, '-e', join(folder, 'nginx.log')]);
  await untilListening(port);
  return subject('nginx', port, pid);
}

async function startCaddy({ folder, core, upstream }: Ground): Promise<Subject> {
  const port = await freePort();
  const config = join(folder, 'Caddyfile');
  await writeFile(
    config,
    `{
  admin off
  auto_https off
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstream} {
    transport http {
      keepalive_idle_conns_per_host 512
    }
  }
}
`,
  );
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const { pid } = startPinned(core, ['caddy', 'run', '--config', config, '--adapter', 'caddyfile'], home);
  await untilListening(port);
  return subject('caddy', port, pid);
}

async function startHttpProxy({ core, upstream }: Ground): Promise<Subject> {
  const port = await freePort();
  const env = { PORT: String(port), TARGET: `http://127.0.0.1:${upstream}`, NODE_ENV: 'production' };
  const { pid } = startPinned(core, [process.execPath, join(OWN_ROOT, 'load-tests/servers/http-proxy.mjs')], env);
  await untilListening(port);
  return subject('http-proxy', port, pid);
}

function subject(name: string, port: number, pid: number | undefined): Subject {
  return { name, port, pid, adminPort: undefined };
}
