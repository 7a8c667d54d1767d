import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { SourceContact } from '../../model/sources.ts';
import type { Clock } from '../../util/clock.ts';
import { ACCESS_PATH, type AskAccess, createAskAccess } from './access.ts';
import { BODY_LIMIT, tooLarge } from './answer-reader.ts';
import type { AnswerRoom } from './answer-room.ts';
import { type ConsulConnection, type ConsulPlace, explainFailure, oneLine } from './connection.ts';
import { inTime } from './deadline.ts';
import { ListConnections } from './list-connections.ts';
import { type ConsulQuestion, type ConsulScope, scopeParameters } from './target.ts';

/** A reading query. */
export interface ConsulQuery extends ConsulQuestion {
  /** Answer once Consul's index exceeds this, or after `waitMs`; 0: answer at once. */
  index: bigint;
  /** Longest wait of a query with an index, ms. */
  waitMs: number;
  /** Whether a server that is not the leader, or knows of none, may answer. */
  stale: boolean;
  /** When to give up, ms. */
  timeoutMs: number;
  /** Where the answer goes, which is wanted as it is written; it stays there until another one does. */
  room?: AnswerRoom;
}

export interface ConsulAnswer {
  /** undefined when absent or not a number. */
  index: bigint | undefined;
  knownLeader: boolean;
  /** Something was left out because the token may not see it. Agents before 1.11 do not tell. */
  filtered: boolean;
  /** Decoded, or its bytes where there is a `room` for it. */
  body: unknown;
  /** From its head to its end, ms: a slow line counts. */
  transferMs: number;
  /** What receiving and decoding it took of this process, about, ms. */
  costMs: number;
}

/** What an agent says. */
interface Answer {
  status: number;
  /** By their names in lower case. */
  headers: ReadonlyMap<string, string>;
  /** When its head was there, the clock's ms. */
  arrivedAt: number;
  body: Buffer | Promise<Buffer>;
}

/** Asks Consul. @throws DISCOVERY_UNREACHABLE (no answer), DISCOVERY_FAILED (an answer of no use), CANCELLED */
export type AskConsul = (query: ConsulQuery, signal: AbortSignal) => Promise<ConsulAnswer>;

/** Longest wait for an answer that is given at once, ms. */
const ANSWER_MS = 10_000;
/** Asked of an agent to see whether it answers: any token may, and its own servers have to. */
const LEADER = '/v1/status/leader';
/** Longest wait for that, ms. */
const PROOF_MS = 2000;
/** What an agent without servers of its own says, whatever it was asked; of other datacenters it says other things. */
const OUT_OF_TOUCH = /^\s*No (?:known Consul servers|cluster leader)/;
/** What receiving takes, garbage and all: 5 ms for a MiB. */
const MS_PER_BYTE = 5 / 2 ** 20;

/** Reads from Consul over kept connections; from the next of its agents where one does not answer. */
export class ConsulClient {
  readonly #connection: ConsulConnection;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Origins of agents that did not answer when they were asked last. */
  readonly #left = new Set<string>();
  #index: bigint | undefined;
  /** By the agents' origins. */
  readonly #agents = new Map<string, Promise<HttpAgent>>();
  readonly #lists: ListConnections;
  readonly #proofs = new Map<string, Promise<boolean>>();
  readonly #closing = new AbortController();

  constructor(connection: ConsulConnection, clock: Clock, logger: Logger) {
    this.#connection = connection;
    this.#lists = new ListConnections((place, onRead) => connection.openSocket(place, onRead), clock);
    this.#clock = clock;
    this.#logger = logger;
  }

  readonly ask: AskConsul = (query, signal) =>
    this.#within(query.timeoutMs, signal, (limit) => this.#exchange(query, limit), datacenterOf(query));

  /** What the token may read in a part of Consul; of namespaces and partitions Consul is not asked. */
  readonly accessIn = ({ datacenter, namespace, partition }: ConsulScope): AskAccess => {
    if (namespace !== undefined || partition !== undefined) return async () => undefined;
    const path = [ACCESS_PATH, ...scopeParameters({ datacenter })].join('?');
    return createAskAccess(async (body, signal) => {
      return this.#within(
        ANSWER_MS,
        signal,
        async (limit) => {
          const post = (place: ConsulPlace) => this.#send(place, { path, method: 'POST', signal: limit }, body);
          const { answer: response } = await this.#reach(post, limit);
          return { status: response.statusCode ?? 0, body: String(await readBody(response)) };
        },
        datacenter,
      );
    });
  };

  /** Whom it asks, and the index of the last answer. */
  get contact(): SourceContact {
    const { addresses, place } = this.#connection;
    const agents = addresses.map((address) => {
      return { address, isAsked: address === place.origin, isLeft: this.#left.has(address) };
    });
    return { agents, index: this.#index === undefined ? null : String(this.#index) };
  }

  /** Closes idle connections; the others end with their queries. */
  close(): void {
    for (const opening of this.#agents.values()) {
      opening.then(
        (agent) => agent.destroy(),
        () => undefined,
      );
    }
    this.#agents.clear();
    this.#lists.close();
    this.#closing.abort();
  }

  /** @param datacenter whose servers are to answer, by way of the agent; undefined: the agent's own */
  async #within<T>(
    ms: number,
    signal: AbortSignal,
    task: (limit: AbortSignal) => Promise<T>,
    datacenter?: string,
  ): Promise<T> {
    const { place } = this.#connection;
    const askedAt = this.#clock.now();
    try {
      return await inTime(this.#clock, ms, signal, task);
    } catch (thrown) {
      const error = asUnreachable(thrown);
      if (error.code !== 'DISCOVERY_UNREACHABLE') throw error;
      const isSilent = this.#clock.now() - askedAt >= ms;
      if (isSilent && datacenter !== undefined && (await this.#isAlive(place))) {
        throw new PilotlightError('DISCOVERY_FAILED', `has no answer from datacenter ${datacenter} in time`, error);
      }
      // One that stayed silent has used up the time: the next one is asked the next time.
      this.#leave(place, error);
      throw error;
    }
  }

  /** Whether an agent answers where another datacenter may be what is silent; asked once at a time. */
  #isAlive(place: ConsulPlace): Promise<boolean> {
    const asking = this.#proofs.get(place.origin) ?? this.#proveAlive(place);
    this.#proofs.set(place.origin, asking);
    return asking;
  }

  async #proveAlive(place: ConsulPlace): Promise<boolean> {
    const { signal } = this.#closing;
    try {
      return await inTime(this.#clock, PROOF_MS, signal, async (limit) => {
        const response = await this.#send(place, { path: LEADER, signal: limit });
        await readBody(response);
        return response.statusCode === 200;
      });
    } catch {
      return false;
    } finally {
      this.#proofs.delete(place.origin);
    }
  }

  /** Asks the next agent from now on, if there is one. */
  #leave(place: ConsulPlace, error: PilotlightError): void {
    if (this.#connection.place !== place) return;
    // Its certificates may have been exchanged.
    if (place.secure) this.#retire(place.origin);
    if (!this.#connection.leave(place) || this.#left.has(place.origin)) return;
    this.#left.add(place.origin);
    const why = error.code === 'DISCOVERY_UNREACHABLE' ? `does not answer: ${error.message}` : error.message;
    const next = this.#connection.place.origin;
    this.#logger.warn(
      { code: error.code },
      `the agent of Consul at ${place.origin} ${why}; ${next} is asked from now on`,
    );
  }

  /** Opens no more connections as they were opened until now. */
  #retire(origin: string): void {
    void this.#agents.get(origin)?.then(
      (agent) => {
        agent.maxFreeSockets = 0;
        for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
      },
      () => undefined,
    );
    this.#agents.delete(origin);
    this.#lists.close(origin);
  }

  async #openAgent(place: ConsulPlace): Promise<HttpAgent> {
    const opening = this.#agents.get(place.origin) ?? this.#connection.openAgent(place, true);
    this.#agents.set(place.origin, opening);
    try {
      return await opening;
    } catch (thrown) {
      this.#agents.delete(place.origin);
      throw thrown;
    }
  }

  async #exchange(query: ConsulQuery, signal: AbortSignal): Promise<ConsulAnswer> {
    const read = (place: ConsulPlace) => this.#read(place, query, signal);
    const { answer, place } = await this.#reach(read, signal);
    const { status, headers, arrivedAt } = answer;
    const body = await answer.body;
    if (status !== 200) {
      const refusal = this.#refusal(status, String(body), query);
      // What another datacenter lacks, or a filter, no other agent has more of.
      const isPlain = !query.parameters?.some((each) => /^(?:dc|filter)=/.test(each));
      const isOwn = isPlain || OUT_OF_TOUCH.test(String(body));
      if (status >= 500 && isOwn) this.#leave(place, refusal);
      throw refusal;
    }
    this.#left.delete(place.origin);
    const received = this.#clock.now();
    const content = query.room === undefined ? decode(body) : body;
    const index = readIndex(headers.get('x-consul-index'));
    this.#index = index ?? this.#index;
    return {
      index,
      knownLeader: headers.get('x-consul-knownleader') === 'true',
      filtered: headers.get('x-consul-results-filtered-by-acls') === 'true',
      body: content,
      transferMs: received - arrivedAt,
      costMs: this.#clock.now() - received + body.length * MS_PER_BYTE,
    };
  }

  /** The answer to a question, whose body may be under way. */
  async #read(place: ConsulPlace, query: ConsulQuery, signal: AbortSignal): Promise<Answer> {
    const { room } = query;
    const path = target(query);
    if (room !== undefined) return this.#lists.get(place, { path, headers: this.#connection.headers, room }, signal);
    const response = await this.#send(place, { path, signal });
    const { statusCode: status = 0, headers } = response;
    const texts = Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    );
    const named = new Map(texts as [string, string][]);
    return { status, headers: named, arrivedAt: this.#clock.now(), body: readBody(response) };
  }

  /** Asks the next agents where one cannot be reached; says whom, as others may be asked by then. */
  async #reach<T>(
    ask: (place: ConsulPlace) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ answer: T; place: ConsulPlace }> {
    for (let left = this.#connection.count - 1; ; left--) {
      const { place } = this.#connection;
      try {
        return { answer: await ask(place), place };
      } catch (thrown) {
        // What is wrong on our side, or with an answer, is so with every agent.
        if (signal.aborted || left === 0 || thrown instanceof PilotlightError) throw thrown;
        this.#leave(place, asUnreachable(thrown));
      }
    }
  }

  async #send(place: ConsulPlace, options: RequestOptions, body = ''): Promise<IncomingMessage> {
    const agent = await this.#openAgent(place);
    options.signal?.throwIfAborted();
    const { host, port, secure } = place;
    const { headers } = this.#connection;
    for (;;) {
      const request = (secure ? httpsRequest : httpRequest)({ agent, host, port, headers, ...options });
      try {
        return await new Promise((resolve, reject) => {
          request.on('response', resolve).on('error', reject).end(body);
        });
      } catch (thrown) {
        // A kept connection that Consul closed at the same moment says nothing about Consul.
        const { code } = thrown as NodeJS.ErrnoException;
        if (!request.reusedSocket || (code !== 'ECONNRESET' && code !== 'EPIPE')) throw thrown;
      }
    }
  }

  #refusal(status: number, body: string, { parameters = [] }: ConsulQuery): PilotlightError {
    const filter = parameters.find((each) => each.startsWith('filter='));
    const text = oneLine(this.#connection.redact(body));
    // Consul 1.8 says so with status 500.
    const isFilter = filter !== undefined && (status === 400 || text.includes('boolean expression'));
    const answer = isFilter ? 'refuses the filter' : `answers with status ${status}`;
    return new PilotlightError('DISCOVERY_FAILED', `${answer}${text === '' ? '' : `: ${text}`}`);
  }
}

function asUnreachable(thrown: unknown): PilotlightError {
  return thrown instanceof PilotlightError
    ? thrown
    : new PilotlightError('DISCOVERY_UNREACHABLE', explainFailure(thrown), thrown);
}

function datacenterOf({ parameters = [] }: ConsulQuery): string | undefined {
  const named = parameters.find((each) => each.startsWith('dc='));
  return named && decodeURIComponent(named.slice('dc='.length));
}

function target({ path, parameters: more = [], index, waitMs, stale }: ConsulQuery): string {
  const parameters = [...more, ...(stale ? ['stale'] : [])];
  if (index > 0n) {
    const wait = waitMs % 1000 === 0 ? `${waitMs / 1000}s` : `${Math.ceil(waitMs)}ms`;
    parameters.push(`index=${index}`, `wait=${wait}`);
  }
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`;
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decode(body: Buffer): unknown {
  try {
    return JSON.parse(String(body));
  } catch (cause) {
    throw new PilotlightError('DISCOVERY_FAILED', 'sends an answer that is not JSON', cause);
  }
}

function readIndex(header: string | undefined): bigint | undefined {
  return header !== undefined && /^\d{1,20}$/.test(header) ? BigInt(header) : undefined;
}
