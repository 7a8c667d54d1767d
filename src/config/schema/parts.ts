import { resolve } from 'node:path';
import type { Reading } from '../option/value-types.ts';
import { readConsulAddress, readDockerSocket } from './addresses.ts';
import type { Config } from './config.ts';
import { CONSUL_ADDRESS, DOCKER_SOCKET } from './default-addresses.ts';
import type { ServiceConfig } from './service.ts';

/** A section of a runtime or a source, which may be left out. */
interface Part {
  /** Whether a service needs it, so that it is in use without being there. */
  isNeededBy(service: ServiceConfig): boolean;
  /** What stands for keys that the file does not set. */
  environment: Readonly<Record<string, EnvironmentKey>>;
  /** Keys that take effect by a reload; changes of others take a restart. */
  reloaded: readonly string[];
}

interface EnvironmentKey {
  variable: string;
  read(text: string): Reading<string>;
  /** Completes "expected …" where `read` does not say what is wrong. */
  expected?: string;
  /** Where the environment is silent too. */
  otherwise?: string;
}

const dockerHost = {
  variable: 'DOCKER_HOST',
  read: readDockerSocket,
  expected: 'the path of a socket, or tcp://host:port',
  otherwise: DOCKER_SOCKET,
};

/** By the names of the sections. They are asked for without the schema, which takes 5 MiB: only its types are here. */
const PARTS = {
  consul: {
    isNeededBy: ({ endpoints }: ServiceConfig) => endpoints.consul !== undefined,
    environment: {
      address: { variable: 'CONSUL_HTTP_ADDR', read: readConsulAddress, otherwise: CONSUL_ADDRESS },
      token: { variable: 'CONSUL_HTTP_TOKEN', read: (text: string) => ({ value: text }) },
      caCert: { variable: 'CONSUL_CACERT', read: (text: string) => ({ value: resolve(text) }) },
    },
    reloaded: ['token'],
  },
  docker: {
    isNeededBy: ({ run }: ServiceConfig) => run?.docker !== undefined,
    environment: {
      socket: dockerHost,
    },
    reloaded: [],
  },
  swarm: {
    isNeededBy: ({ run }: ServiceConfig) => run?.swarm !== undefined,
    environment: { socket: dockerHost },
    reloaded: [],
  },
} satisfies Partial<Record<keyof Config, Part>>;

export type PartName = keyof typeof PARTS;

/** The same as a list, for what goes over all of them. */
export const partList = Object.entries(PARTS) as [PartName, Part][];

/** Which of them are in use: those that are there, and those that a service needs. */
export type Uses = Readonly<Record<PartName, boolean>>;

type Environment<Name extends PartName> = (typeof PARTS)[Name]['environment'];

/** What a section yields together with the environment. */
type PartSettings<Name extends PartName> = Omit<Config[Name], keyof Environment<Name>> & {
  [Key in keyof Environment<Name>]: Environment<Name>[Key] extends { otherwise: string } ? string : string | undefined;
};

/**
 * Settings of the runtimes and sources that are in use.
 * @param defaults of keys that the file does not set
 */
export function partSettings(
  sections: Pick<Config, PartName>,
  uses: Uses,
  defaults: Readonly<Partial<Record<PartName, object>>>,
): { [Name in PartName]?: PartSettings<Name> } {
  const used = partList.filter(([name]) => uses[name]);
  return Object.fromEntries(used.map(([name]) => [name, { ...sections[name], ...defaults[name] }]));
}
