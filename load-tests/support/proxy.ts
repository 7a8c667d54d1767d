import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/free-port.ts';
import { startPinned, untilListening } from './process.ts';

/** A proxy under load: one service that leads everything to one upstream. */
interface ProxyUnderLoad {
  port: number;
  /** Port of the server behind it. */
  upstream: number;
  process: ChildProcess;
  pid: number;
}

/**
 * Starts a server of `servers/` on the load's core and a proxy in front of it on its own; both are up when this resolves.
 * @param folder for the configuration and the state
 * @param listen more keys of the listener
 * @param service more keys of the service
 * @param more other services, as the configuration has them
 */
export async function startProxy(
  folder: string,
  server: string,
  cores: { proxy: number; load: number },
  listen: Record<string, unknown> = {},
  service: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<ProxyUnderLoad> {
  const [upstream, port, admin] = [await freePort(), await freePort(), await freePort()];
  const loadTests = join(import.meta.dirname, '..');
  startPinned(cores.load, [process.execPath, join(loadTests, 'servers', server)], { PORT: String(upstream) });
  await untilListening(upstream);
  const config = join(folder, 'pilotlight.json');
  const settings = {
    listen: [{ address: `127.0.0.1:${port}`, ...listen }],
    admin: { address: `127.0.0.1:${admin}` },
    state: join(folder, 'state'),
    services: {
      app: { routes: [{ path: '/' }], endpoints: { static: [`127.0.0.1:${upstream}`] }, ...service },
      ...more,
    },
  };
  await writeFile(config, JSON.stringify(settings));
  const main = join(loadTests, '../src/pilotlight.ts');
  const child = startPinned(cores.proxy, [process.execPath, main, 'run', '-c', config]);
  await untilListening(port);
  return { port, upstream, process: child, pid: child.pid ?? 0 };
}
