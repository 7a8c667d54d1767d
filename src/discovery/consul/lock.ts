import type { EventEmitter } from 'node:events';
import type { LeaderLock, LockState, MemberRecord } from '../../model/cluster.ts';
import { PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { Clock } from '../../util/clock.ts';
import { answerOf, ConsulCalls } from './calls.ts';
import { ConsulClient } from './client.ts';
import { consulConnection, oneLine, type TokenOf } from './connection.ts';
import { ConsulContact } from './contact.ts';
import { ConsulLoop } from './loop.ts';
import type { ConsulSettings } from './settings.ts';

interface ConsulLockOptions {
  settings: ConsulSettings;
  /** The token, asked for each request; the one of the settings unless told. */
  token?: TokenOf;
  /** Of the cluster. */
  name: string;
  /** This member, as it is to be found while it leads. */
  self: Omit<MemberRecord, 'index'>;
  /** Of the sessions: 10 s at least, unless Consul is told otherwise (`session_ttl_min`), ms. */
  ttlMs: number;
  clock: Clock;
  logger: Logger;
  /** In [0, 1), for jitter. */
  random?: () => number;
}

/** What is used of the package. */
interface Api {
  session: {
    create(options: object): Promise<{ ID?: unknown }>;
    renew(options: object): Promise<unknown>;
    destroy(options: object): Promise<unknown>;
  };
  kv: {
    get(options: object): Promise<unknown>;
    set(options: object): Promise<unknown>;
    del(options: object): Promise<unknown>;
  };
}

interface Entry {
  Key?: unknown;
  /** As Consul sends it: base64. */
  Value?: unknown;
  Session?: unknown;
  ModifyIndex?: unknown;
}

/** How long the lock stays nobody's after its holder's session has ended: what it had begun may still come, s. */
const LOCK_DELAY = '1s';
/** How long one question waits for a change: one that went unnoticed holds for no longer, ms. */
const WAIT_MS = 30_000;

/**
 * The lock of a cluster in Consul, and the records of its members: keys below `pilotlight/NAME/`.
 * @throws DISCOVERY_FAILED when the address of Consul is no URL
 */
export function createConsulLock(options: ConsulLockOptions): LeaderLock {
  return new ConsulLock(options);
}

class ConsulLock implements LeaderLock {
  readonly #options: ConsulLockOptions;
  readonly #calls: ConsulCalls<Api>;
  readonly #folder: string;

  constructor(options: ConsulLockOptions) {
    this.#options = options;
    this.#calls = new ConsulCalls(consulConnection(options.settings, options.token), options.clock);
    this.#folder = `pilotlight/${options.name}/`;
  }

  async open(signal: AbortSignal): Promise<string> {
    const { name, self, ttlMs } = this.#options;
    const ttl = ttlMs % 1000 === 0 ? `${ttlMs / 1000}s` : `${ttlMs}ms`;
    // Without checks: a restart of the agent is no reason to have another leader.
    const options = { ttl, behavior: 'release', lockdelay: LOCK_DELAY, checks: [], nodechecks: [] };
    const answer = await this.#call('begin a session', signal, ({ session }, ctx) =>
      session.create({ ...options, name: `pilotlight ${name} ${self.member}`, ctx }),
    );
    if (typeof answer?.ID === 'string') return answer.ID;
    throw new PilotlightError('DISCOVERY_FAILED', 'cannot begin a session: the answer has none');
  }

  async renew(id: string, signal: AbortSignal): Promise<boolean> {
    return this.#call('renew the session', signal, async ({ session }, ctx) => {
      try {
        await session.renew({ id, ctx });
        return true;
      } catch (thrown) {
        if (answerOf(thrown)?.status === 404) return false;
        throw thrown;
      }
    });
  }

  async acquire(session: string, signal: AbortSignal): Promise<boolean> {
    const { self } = this.#options;
    return this.#call('take the lock', signal, async ({ kv }, ctx) => {
      try {
        return (
          (await kv.set({ key: `${this.#folder}leader`, value: JSON.stringify(self), acquire: session, ctx })) === true
        );
      } catch (thrown) {
        // The session has ended: the next renewal tells.
        if (/invalid session/i.test(answerOf(thrown)?.text ?? '')) return false;
        throw thrown;
      }
    });
  }

  async end(id: string, signal: AbortSignal): Promise<void> {
    const { self } = this.#options;
    // An explicit release has no delay.
    await this.#call('give the lock back', signal, ({ kv }, ctx) =>
      kv.set({ key: `${this.#folder}leader`, value: JSON.stringify(self), release: id, ctx }),
    );
    await this.#call('end the session', signal, ({ session }, ctx) => session.destroy({ id, ctx }));
  }

  async enter(record: MemberRecord, signal: AbortSignal): Promise<void> {
    const key = `${this.#folder}members/${record.member}`;
    await this.#call('enter this member', signal, ({ kv }, ctx) => kv.set({ key, value: JSON.stringify(record), ctx }));
  }

  async leave(member: string, signal: AbortSignal): Promise<void> {
    const key = `${this.#folder}members/${member}`;
    await this.#call('take a member out', signal, ({ kv }, ctx) => kv.del({ key, ctx }));
  }

  async look(signal: AbortSignal): Promise<LockState> {
    const options = { key: this.#folder, recurse: true, consistent: true };
    const entries = await this.#call('ask who leads', signal, ({ kv }, ctx) => kv.get({ ...options, ctx }));
    return this.#state(entries ?? [], (value) => value);
  }

  follow(take: (state: LockState) => void, signal: AbortSignal): void {
    const { settings, token, clock, logger, random = Math.random } = this.#options;
    const connection = consulConnection(settings, token);
    const client = new ConsulClient(connection, clock, logger);
    const contact = new ConsulContact(connection.origins, logger);
    const path = `/v1/kv/${this.#folder.split('/').map(encodeURIComponent).join('/')}`;
    let before = '';
    const loop = new ConsulLoop({
      question: { path, parameters: ['recurse'] },
      ask: client.ask,
      clock,
      random,
      waitMs: () => WAIT_MS,
      take: ({ body }) => {
        const state = this.#state(body, (value) => Buffer.from(value, 'base64').toString());
        const content = JSON.stringify(state);
        if (content === before) return false;
        before = content;
        take(state);
        return true;
      },
      onAnswer: () => contact.answered('lock'),
      onFailure: (error) => contact.failed('lock', error, 'who leads the cluster'),
    });
    void loop.run(signal).finally(() => client.close());
  }

  /** @throws DISCOVERY_FAILED where it is no list of entries */
  #state(entries: unknown, decode: (value: string) => string): LockState {
    if (!Array.isArray(entries)) throw new PilotlightError('DISCOVERY_FAILED', 'the answer is no list of entries');
    const state: LockState & { members: MemberRecord[] } = {
      leader: undefined,
      session: undefined,
      index: 0,
      members: [],
    };
    for (const { Key: key, Value: value, Session: session, ModifyIndex: index } of entries as Entry[]) {
      if (typeof key !== 'string' || typeof value !== 'string' || typeof index !== 'number') continue;
      const record = this.#record(key, decode(value));
      if (record === undefined) continue;
      if (key !== `${this.#folder}leader`) {
        state.members.push(record);
        continue;
      }
      state.index = index;
      if (typeof session !== 'string') continue;
      state.session = session;
      state.leader = { member: record.member, address: record.address, index };
    }
    return state;
  }

  #record(key: string, text: string): MemberRecord | undefined {
    try {
      const { member, address, index = 0, unreached } = JSON.parse(text) as Partial<MemberRecord>;
      const isWhole = typeof member === 'string' && typeof address?.host === 'string' && typeof index === 'number';
      if (isWhole && Number.isInteger(address.port))
        return { member, address, index, ...(typeof unreached === 'number' && { unreached }) };
    } catch (error) {
      this.#options.logger.debug({ key, err: toPilotlightError(error) }, 'not read');
    }
    this.#options.logger.warn({ key }, `what Consul has at ${oneLine(key)} is of no proxy of this cluster`);
    return undefined;
  }

  async #call<T>(what: string, signal: AbortSignal, call: (api: Api, ctx: EventEmitter) => Promise<T>): Promise<T> {
    // Later than that it is of no use to a leader.
    return this.#calls.call(`${what} in Consul`, this.#options.ttlMs / 3, signal, call);
  }
}
