import { resolve } from 'node:path';
import type { Config } from './schema.ts';

/** Which of the sections that may be left out are in use: those that are there, or that a service needs. */
export interface Uses {
  consul: boolean;
  docker: boolean;
}

/** What the environment says where the file is silent. */
export interface PartDefaults {
  consulAddress: string;
  consulToken: string | undefined;
  consulCaCert: string | undefined;
  dockerSocket: string;
}

/** Keys that take effect by a reload, by section; other changes of these sections take a restart. */
export const RELOADED: Readonly<Record<string, readonly string[]>> = { consul: ['token'] };

/**
 * Settings of the runtimes and sources that are in use.
 * @param folder of the configuration file: what relative paths count from
 */
export function partSettings(
  { consul, docker }: Pick<Config, 'consul' | 'docker'>,
  uses: Uses,
  defaults: PartDefaults,
  folder: string,
) {
  return {
    ...(uses.docker && { docker: { socket: docker.socket ?? defaults.dockerSocket, reach: docker.reach } }),
    ...(uses.consul && {
      consul: {
        address: consul.address ?? defaults.consulAddress,
        token: consul.token ?? defaults.consulToken,
        caCert: consul.caCert === undefined ? defaults.consulCaCert : resolve(folder, consul.caCert),
        register: consul.register === 'false' ? (false as const) : consul.register,
        advertise: consul.advertise,
      },
    }),
  };
}
