import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../test/support/free-port.ts';
import { startPinned, untilListening } from '../../support/process.ts';
import { checkoutAt, OWN_ROOT } from '../checkout.ts';
import { type Ground, SUITE, type Subject } from './subject.ts';

/** Keys of Pilotlight's configuration that differ from one service for everything. */
export type Extra = Record<string, unknown>;

/** Pilotlight with the flags of Node that its own script has. */
export async function startPilotlight(name: string, ground: Ground, extra: Extra = {}): Promise<Subject> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = join(ground.folder, 'pilotlight.json');
  const endpoints = { static: [`127.0.0.1:${ground.upstream}`] };
  const settings = {
    // The bound on connections, 10,000 by default, is not what load tests are about.
    listen: [{ address: `127.0.0.1:${port}`, limits: { connections: 20_000 }, ...listenKeys(ground) }],
    admin: { address: `127.0.0.1:${adminPort}` },
    state: join(ground.folder, 'state'),
    services: { app: ground.speech === 'tcp' ? { endpoints } : { routes: [{ path: '/' }], endpoints } },
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

function listenKeys({ speech, certificate }: Ground): Record<string, unknown> {
  switch (speech) {
    case 'http':
      return {};
    case 'tls':
      return { tls: { certificates: [{ cert: certificate }], minVersion: '1.3', ciphers: [SUITE] } };
    case 'tcp':
      return { tcp: { service: 'app' } };
  }
}
