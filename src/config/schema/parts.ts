import type { Config } from './config.ts';

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

/** Settings of the runtimes and sources that are in use. */
export function partSettings(
  { consul, docker }: Pick<Config, 'consul' | 'docker'>,
  uses: Uses,
  defaults: PartDefaults,
) {
  return {
    ...(uses.docker && { docker: { ...docker, socket: docker.socket ?? defaults.dockerSocket } }),
    ...(uses.consul && {
      consul: {
        ...consul,
        address: consul.address ?? defaults.consulAddress,
        token: consul.token ?? defaults.consulToken,
        caCert: consul.caCert ?? defaults.consulCaCert,
      },
    }),
  };
}
