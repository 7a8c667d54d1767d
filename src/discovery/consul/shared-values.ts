import type { EventEmitter } from 'node:events';
import type { SharedValues } from '../../model/cluster.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { Clock } from '../../util/clock.ts';
import { ConsulCalls } from './calls.ts';
import { consulConnection, oneLine, type TokenOf } from './connection.ts';
import type { ConsulSettings } from './settings.ts';

interface SharedValuesOptions {
  settings: ConsulSettings;
  /** The token, asked for each request; the one of the settings unless told. */
  token?: TokenOf;
  /** Of the cluster. */
  name: string;
  clock: Clock;
}

/** What is used of the package. */
interface Api {
  kv: { get(options: object): Promise<unknown> };
  transaction: { create(operations: object[], options: object): Promise<unknown> };
}

/** How long one call may take, ms: a leader that Consul does not answer has soon lost its right. */
const CALL_MS = 5000;

/**
 * Values in Consul, keys below `pilotlight/NAME.secrets/`: not among those of the lock, which every member reads whole
 * whenever one of them changes, nor where another cluster's may be, as no name has a dot.
 * @throws DISCOVERY_FAILED when the address of Consul is no URL
 */
export function createSharedValues(options: SharedValuesOptions): SharedValues {
  return new ConsulValues(options);
}

class ConsulValues implements SharedValues {
  readonly place: string;
  readonly #calls: ConsulCalls<Api>;
  readonly #folder: string;
  readonly #lock: string;

  constructor({ settings, token, clock, name }: SharedValuesOptions) {
    const connection = consulConnection(settings, token);
    this.#calls = new ConsulCalls(connection, clock);
    this.#folder = `pilotlight/${name}.secrets/`;
    this.#lock = `pilotlight/${name}/leader`;
    this.place = `Consul at ${this.#folder}`;
  }

  async read(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const options = { key: this.#folder, recurse: true, consistent: true };
    const entries = await this.#call('read the shared secrets', signal, ({ kv }, ctx) => kv.get({ ...options, ctx }));
    const values = new Map<string, string>();
    for (const { Key: key, Value: value } of (entries ?? []) as { Key?: unknown; Value?: unknown }[]) {
      if (typeof key === 'string' && typeof value === 'string') values.set(key.slice(this.#folder.length), value);
    }
    return values;
  }

  /** In one step with the question whether the lock is still as it was taken: no leader that was changes anything. */
  write(name: string, value: string | undefined, index: number, signal: AbortSignal): Promise<boolean> {
    const key = `${this.#folder}${name}`;
    const change = value === undefined ? { Verb: 'delete', Key: key } : { Verb: 'set', Key: key, Value: base64(value) };
    const operations = [{ KV: { Verb: 'check-index', Key: this.#lock, Index: index } }, { KV: change }];
    return this.#call('keep a shared secret', signal, async ({ transaction }, ctx) => {
      try {
        await transaction.create(operations, { ctx });
        return true;
      } catch (thrown) {
        const refusals = refusalsOf(thrown);
        if (refusals === undefined) throw thrown;
        const isDenied = refusals.some(({ What: what = '' }) => /denied/i.test(what));
        // The first operation is the question.
        if (!isDenied && refusals.some(({ OpIndex: operation }) => operation === 0)) return false;
        const why = refusals.map(({ What: what = '' }) => what).join('; ');
        throw new PilotlightError('DISCOVERY_FAILED', `it refuses: ${oneLine(why)}`);
      }
    });
  }

  #call<T>(what: string, signal: AbortSignal, call: (api: Api, ctx: EventEmitter) => Promise<T>): Promise<T> {
    return this.#calls.call(`${what} in Consul`, CALL_MS, signal, call);
  }
}

interface Refusal {
  OpIndex?: number;
  What?: string;
}

/** Why Consul did none of it; undefined: it is no such answer. */
function refusalsOf(thrown: unknown): Refusal[] | undefined {
  const { response } = thrown as { response?: { statusCode?: number; body?: { Errors?: unknown } } };
  const errors = response?.statusCode === 409 ? response.body?.Errors : undefined;
  return Array.isArray(errors) ? errors : undefined;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
