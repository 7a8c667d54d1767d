import { onTestFinished } from 'vitest';
import type { ConsulAnswer, ConsulQuery } from '../../../src/discovery/consul/client.ts';
import type { ConsulService, ConsulSettings } from '../../../src/discovery/consul/settings.ts';
import { createConsulSource } from '../../../src/discovery/consul/source.ts';
import type { DiscoveryQuery, EndpointSet } from '../../../src/model/discovery.ts';
import type { Logger } from '../../../src/model/observe.ts';
import { systemClock } from '../../../src/util/clock.ts';
import type { VirtualClock } from '../../../src/util/virtual-clock.ts';

export function consulSettings(
  address: string | readonly string[],
  more: Partial<ConsulSettings> = {},
): ConsulSettings {
  return { address, token: undefined, register: false, advertise: undefined, ...more };
}

/** A query for a Pilotlight service that follows a Consul service (of the same name unless told). */
export function follows(
  service: string,
  consulService = service,
  tags?: readonly string[],
): DiscoveryQuery<ConsulService> {
  return { service, sought: { service: consulService, tags } };
}

/** Keeps what is logged: `LEVEL message`. */
export class LogKeeper implements Logger {
  readonly lines: string[] = [];
  /** Everything, fields too, as text. */
  readonly all: string[] = [];
  debug = (fields: object, message: string) => this.#keep('debug', fields, message);
  info = (fields: object, message: string) => this.#keep('info', fields, message);
  warn = (fields: object, message: string) => this.#keep('warn', fields, message);
  error = (fields: object, message: string) => this.#keep('error', fields, message);

  #keep(level: string, fields: object, message: string): void {
    this.lines.push(`${level} ${message}`);
    this.all.push(`${JSON.stringify(fields)} ${message}`);
  }
}

/** A running source with all that it pushed. */
export interface Running {
  source: ReturnType<typeof createConsulSource>;
  log: LogKeeper;
  sets: EndpointSet[];
  /** What holds now: addresses by service. */
  now: (service: string) => string[] | undefined;
  abort: () => void;
}

/** Runs a source on real time until the test ends. */
export function runSource(settings: ConsulSettings, queries: DiscoveryQuery<ConsulService>[]): Running {
  const log = new LogKeeper();
  const source = createConsulSource({ settings, clock: systemClock, logger: log, instance: 'test' });
  const sets: EndpointSet[] = [];
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  source.follow(queries);
  source.run((set) => sets.push(set), abort.signal);
  const now = (service: string) =>
    sets.findLast((set) => set.service === service)?.endpoints.map(({ host, port }) => `${host}:${port}`);
  return { source, log, sets, now, abort: () => abort.abort() };
}

/** Answers questions on virtual time: at once what `script` says, or for 'block' when the wait is over or it is released. */
export class ScriptedAsk {
  readonly asked: { at: number; query: ConsulQuery }[] = [];
  readonly #clock: VirtualClock;
  readonly #script: (query: ConsulQuery, count: number) => ConsulAnswer | Error | 'block';
  #release: () => void = () => undefined;

  constructor(clock: VirtualClock, script: (query: ConsulQuery, count: number) => ConsulAnswer | Error | 'block') {
    this.#clock = clock;
    this.#script = script;
  }

  readonly ask = async (query: ConsulQuery, signal: AbortSignal): Promise<ConsulAnswer> => {
    this.asked.push({ at: this.#clock.now(), query });
    let said = this.#script(query, this.asked.length);
    while (said === 'block') {
      await new Promise<void>((resolve, reject) => {
        this.#release = resolve;
        this.#clock.after(query.waitMs, resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      // What blocks even now is answered unchanged by the script's next word.
      said = this.#script({ ...query, index: 0n }, this.asked.length);
    }
    if (said instanceof Error) throw said;
    return said;
  };

  /** Answers the question that blocks now. */
  release(): void {
    this.#release();
  }
}

export function answer(body: unknown, index: bigint | undefined, knownLeader = true): ConsulAnswer {
  return { body, index, knownLeader, transferMs: 0, costMs: 0, filtered: false };
}
