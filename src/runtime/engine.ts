import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type Docker from 'dockerode';
import { PilotlightError } from '../model/errors.ts';
import { withDeadline } from '../util/abort.ts';
import type { Clock } from '../util/clock.ts';
import { statusOf, toEngineError } from './engine-errors.ts';

/** Bounds of calls to the engine, ms. */
export const limits = {
  /** Questions. */
  ask: 10_000,
  /** Create, start, remove: the engine works. */
  act: 60_000,
} as const;

/** Where the Engine API listens. */
export type EngineAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number };

/** Reads a path, `unix://PATH` or `tcp://HOST[:PORT]`; the port is 2375 unless told. */
export function parseEngineAddress(socket: string): EngineAddress {
  if (!/^(tcp|https?):\/\//.test(socket)) return { kind: 'unix', path: socket.replace(/^unix:\/\//, '') };
  const { hostname, port } = new URL(socket.replace(/^\w+:/, 'http:'));
  return { kind: 'tcp', host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 2375 : Number(port) };
}

/**
 * What is not given here the library takes from DOCKER_HOST. A kept connection could be one that the engine closes just
 * now, while a new one over a unix socket costs a tenth of a millisecond.
 */
function clientOptions(address: EngineAddress, isSecure: boolean): Docker.DockerOptions {
  const agent = isSecure ? new SecureAgent({ keepAlive: false }) : new Agent({ keepAlive: false });
  if (address.kind === 'unix') {
    const options = { socketPath: address.path, host: undefined, port: undefined, protocol: 'http', agent } as const;
    return options as Docker.DockerOptions;
  }
  const { host, port } = address;
  if (isSecure) return { host, port, protocol: 'https', agent } as object;
  return port === 2376 ? { host, port, protocol: 'https' } : ({ host, port, protocol: 'http', agent } as object);
}

/** What an engine on another machine asks for: paths of PEM files. */
interface EngineTls {
  ca: string;
  cert: string;
  key: string;
}

async function readTls(tls: EngineTls): Promise<Docker.DockerOptions> {
  const read = (file: string) =>
    readFile(file, 'utf8').catch((cause) => {
      throw new PilotlightError('CONFIG_INVALID', `cannot read ${file}, which the engine asks for`, cause);
    });
  const [ca, cert, key] = await Promise.all([read(tls.ca), read(tls.cert), read(tls.key)]);
  return { ca, cert, key } as Docker.DockerOptions;
}

/** Has every failure of the library carry the call that it is about, without the query. */
function nameCalls({ modem }: { modem: Modem }): void {
  const dial = modem.dial.bind(modem);
  modem.dial = (options, callback) => {
    const call = `${options.method} ${options.path.split('?', 1)[0]}`;
    dial(options, (failure, data) => {
      if (typeof failure === 'object' && failure !== null) Object.assign(failure, { call });
      callback(failure, data);
    });
  };
}

/** The part of the library that makes the calls. */
interface Modem {
  dial(options: { method: string; path: string }, callback: (failure: unknown, data: unknown) => void): void;
}

/** The Engine API, every call bounded in time, cancellable, and failing with errors of ours only. */
export class DockerEngine {
  /** Where it is, for messages. */
  readonly place: string;
  readonly address: EngineAddress;
  readonly #docker: Docker;
  readonly #clock: Clock;

  private constructor(docker: Docker, address: EngineAddress, place: string, clock: Clock) {
    this.#docker = docker;
    this.address = address;
    this.place = place;
    this.#clock = clock;
  }

  /**
   * Loads the client library, which takes a fifth of a second: only who has a Docker runtime should wait for it.
   * @throws CONFIG_INVALID where the address is none, or a file cannot be read
   */
  static async load(socket: string, clock: Clock, tls?: EngineTls): Promise<DockerEngine> {
    const { default: Client } = await import('dockerode');
    const files = tls && (await readTls(tls));
    try {
      const address = parseEngineAddress(socket);
      const place = address.kind === 'unix' ? address.path : socket;
      const isSecure = files !== undefined && address.kind === 'tcp';
      const client = new Client({ ...clientOptions(address, isSecure), ...(isSecure && files) });
      nameCalls(client);
      return new DockerEngine(client, address, place, clock);
    } catch (cause) {
      throw new PilotlightError('CONFIG_INVALID', `${socket} is not the address of an engine`, cause);
    }
  }

  /**
   * Makes one call, which has to pass the signal it gets on to the library.
   * @throws what `toEngineError` makes of a failure; RUNTIME_UNREACHABLE after `limitMs`; the signal's reason
   */
  async call<T>(
    limitMs: number,
    signal: AbortSignal,
    request: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const message = `the Docker engine at ${this.place} did not answer within ${limitMs / 1000} s`;
    const late = () => new PilotlightError('RUNTIME_UNREACHABLE', message);
    // The library never settles when a connection ends in the middle of an answer: it must not be waited for.
    return withDeadline(this.#clock, limitMs, signal, late, async (abortSignal) => {
      try {
        return await request(this.#docker, abortSignal);
      } catch (thrown) {
        throw toEngineError(thrown, this.place);
      }
    });
  }

  /** A container by its id or name; undefined where there is none. */
  async inspect(ref: string, signal: AbortSignal): Promise<Docker.ContainerInspectInfo | undefined> {
    try {
      return await this.call(limits.ask, signal, (docker, abortSignal) =>
        docker.getContainer(encodeURIComponent(ref)).inspect({ abortSignal }),
      );
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      throw thrown;
    }
  }

  /** Removes a container that does not run, with its anonymous volumes. One that is gone, or runs by now, is left. */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.call(limits.act, signal, (docker, abortSignal) =>
        docker.getContainer(id).remove({ v: true, abortSignal } as Docker.ContainerRemoveOptions),
      );
    } catch (thrown) {
      const status = statusOf(thrown);
      if (status !== 404 && status !== 409) throw thrown;
    }
  }
}
