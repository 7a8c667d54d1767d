import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { type Cores, startPinned, untilListening } from '../support/process.ts';

/** Loopback ports of what the proxies forward to. */
export interface Upstreams {
  /** nginx with keep-alive: 64 bytes for anything, 1 MiB for /large. */
  http: number;
  /** Sends WebSocket messages back. */
  echo: number;
}

const LARGE_BYTES = 1024 * 1024;

/** Starts the upstreams on these cores. */
export async function startUpstreams(folder: string, core: Cores): Promise<Upstreams> {
  const [http, echo] = [await freePort(), await freePort()];
  const root = join(folder, 'upstream');
  await mkdir(root);
  await writeFile(join(root, 'large'), Buffer.alloc(LARGE_BYTES, 'x'));
  const config = join(folder, 'upstream.conf');
  await writeFile(config, upstreamConfig(folder, root, http));
  startPinned(core, ['nginx', '-c', config, '-e', join(folder, 'upstream.log')]);
  const echoServer = join(import.meta.dirname, '../servers/web-socket-echo.mjs');
  startPinned(core, [process.execPath, echoServer], { PORT: String(echo) });
  await Promise.all([untilListening(http), untilListening(echo)]);
  return { http, echo };
}

function upstreamConfig(folder: string, root: string, port: number): string {
  return `${nginxMain(folder, 'upstream')}
http {
  ${nginxHttp(folder, 'upstream')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type text/plain; return 200 "${'x'.repeat(63)}\\n"; }
    location = /large { root ${root}; }
  }
}
`;
}

/** The part before `http` of every nginx here: one worker, in the foreground, all it writes under the folder. */
export function nginxMain(folder: string, name: string): string {
  // Workers of a master that root started would become a user who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
pid ${join(folder, `${name}.pid`)};
error_log ${join(folder, `${name}.log`)} crit;
events { worker_connections 4096; }`;
}

/** What every nginx here says in `http`: no log, no end to keep-alive. */
export function nginxHttp(folder: string, name: string): string {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  ${places.map((place) => `${place}_temp_path ${join(folder, `${name}-${place}`)};`).join('\n  ')}`;
}
