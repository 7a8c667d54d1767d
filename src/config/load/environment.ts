import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Report } from '../check/report.ts';
import type { Reading } from '../option/value-types.ts';
import type { Env } from '../read/substitute.ts';
import { readConsulAddress, readDockerSocket } from '../schema/addresses.ts';
import { CONSUL_ADDRESS, DOCKER_SOCKET } from '../schema/default-addresses.ts';
import type { PartDefaults } from '../schema/parts.ts';

/** What the environment says where the file is silent; empty variables count as absent. */
export interface EnvironmentDefaults extends PartDefaults {
  state: string;
}

/** @param uses which sections are in use: only their variables are read, and only what the file does not set */
export function environmentDefaults(
  env: Env,
  uses: { consulAddress: boolean; dockerSocket: boolean },
  report: Report,
): EnvironmentDefaults {
  const read = (name: string, path: string[], wanted: boolean, reader: (text: string) => Reading<string>) => {
    const text = env[name] || undefined;
    const reading = text === undefined || !wanted ? undefined : reader(text);
    if (reading !== undefined && 'value' in reading) return reading.value;
    if (text !== undefined && wanted) {
      report.problem([path], `${name}: ${reading?.fault ?? 'expected the path of a socket, or tcp://host:port'}`);
    }
    return undefined;
  };
  const address = read('CONSUL_HTTP_ADDR', ['consul'], uses.consulAddress, readConsulAddress);
  const socket = read('DOCKER_HOST', ['docker'], uses.dockerSocket, readDockerSocket);
  const caCert = env['CONSUL_CACERT'] || undefined;
  return {
    state: stateDirectory(env),
    consulAddress: address ?? CONSUL_ADDRESS,
    consulToken: env['CONSUL_HTTP_TOKEN'] || undefined,
    consulCaCert: caCert === undefined ? undefined : resolve(caCert),
    dockerSocket: socket ?? DOCKER_SOCKET,
  };
}

/** Where records are kept unless the file says so. systemd may give several directories; the first is taken. */
function stateDirectory(env: Env): string {
  const given = env['STATE_DIRECTORY']?.split(':', 1)[0];
  if (given) return resolve(given);
  if (env['XDG_STATE_HOME']) return resolve(env['XDG_STATE_HOME'], 'pilotlight');
  if (process.getuid?.() === 0) return '/var/lib/pilotlight';
  return join(env['HOME'] || homedir(), '.local/state/pilotlight');
}
