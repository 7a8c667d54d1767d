import { type Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PilotlightError } from '../../model/errors.ts';
import type { Clock } from '../../util/clock.ts';
import { ACCESS_PATH, type AskAccess, createAskAccess } from './access.ts';
import { type ConsulConnection, explainFailure, oneLine } from './connection.ts';
import { inTime } from './deadline.ts';

/** A reading query. */
export interface ConsulQuery {
  /** Absolute path, encoded, without a query string. */
  path: string;
  /** Answer once Consul's index exceeds this, or after `waitMs`; 0: answer at once. */
  index: bigint;
  /** Longest wait of a query with an index, ms. */
  waitMs: number;
  /** Whether a server that is not the leader, or knows of none, may answer. */
  stale: boolean;
  /** When to give up, ms. */
  timeoutMs: number;
  /** Whether the answer is wanted as it is written. */
  undecoded?: true;
}

export interface ConsulAnswer {
  /** undefined when absent or not a number. */
  index: bigint | undefined;
  knownLeader: boolean;
  /** Something was left out because the token may not see it. Agents before 1.11 do not tell. */
  filtered: boolean;
  /** Decoded, or its bytes where it was asked for `undecoded`. */
  body: unknown;
  /** What receiving and decoding it took, ms. */
  costMs: number;
}

/** Asks Consul. @throws DISCOVERY_UNREACHABLE (no answer), DISCOVERY_FAILED (an answer of no use), CANCELLED */
export type AskConsul = (query: ConsulQuery, signal: AbortSignal) => Promise<ConsulAnswer>;

/** Longest wait for an answer that is given at once, ms. */
const ANSWER_MS = 10_000;
const BODY_LIMIT = 32 * 2 ** 20;

/** Reads from Consul over kept connections. */
export class ConsulClient {
  readonly #connection: ConsulConnection;
  readonly #clock: Clock;
  #agent: Promise<HttpAgent> | undefined;

  constructor(connection: ConsulConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  readonly ask: AskConsul = (query, signal) =>
    this.#within(query.timeoutMs, signal, (limit) => this.#exchange(query, limit));

  readonly askAccess: AskAccess = createAskAccess(async (body, signal) => {
    return this.#within(ANSWER_MS, signal, async (limit) => {
      const response = await this.#open({ path: ACCESS_PATH, method: 'POST' }, limit, body);
      return { status: response.statusCode ?? 0, body: String(await readBody(response)) };
    });
  });

  /** Closes idle connections; the others end with their queries. */
  close(): void {
    this.#agent?.then(
      (agent) => agent.destroy(),
      () => undefined,
    );
    this.#agent = undefined;
  }

  async #within<T>(ms: number, signal: AbortSignal, task: (limit: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await inTime(this.#clock, ms, signal, task);
    } catch (thrown) {
      if (thrown instanceof PilotlightError) throw thrown;
      throw new PilotlightError('DISCOVERY_UNREACHABLE', explainFailure(thrown), thrown);
    }
  }

  async #openAgent(): Promise<HttpAgent> {
    this.#agent ??= this.#connection.openAgent(true);
    try {
      return await this.#agent;
    } catch (thrown) {
      this.#agent = undefined;
      throw thrown;
    }
  }

  async #exchange(query: ConsulQuery, signal: AbortSignal): Promise<ConsulAnswer> {
    const response = await this.#open({ path: target(query) }, signal);
    const arrived = this.#clock.now();
    const body = await readBody(response);
    if (response.statusCode !== 200) throw this.#refusal(response.statusCode, String(body));
    return {
      index: readIndex(response.headers['x-consul-index']),
      knownLeader: response.headers['x-consul-knownleader'] === 'true',
      filtered: response.headers['x-consul-results-filtered-by-acls'] === 'true',
      body: query.undecoded ? body : decode(body),
      costMs: this.#clock.now() - arrived,
    };
  }

  async #open(what: { path: string; method?: string }, signal: AbortSignal, body = ''): Promise<IncomingMessage> {
    const agent = await this.#openAgent();
    signal.throwIfAborted();
    const { host, port, headers } = this.#connection;
    return this.#send({ agent, host, port, headers, signal, ...what }, body);
  }

  async #send(options: RequestOptions, body: string): Promise<IncomingMessage> {
    for (;;) {
      const request = (this.#connection.secure ? httpsRequest : httpRequest)(options);
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
  #refusal(status: number | undefined, body: string): PilotlightError {
    const text = oneLine(this.#connection.redact(body));
    return new PilotlightError('DISCOVERY_FAILED', `answers with status ${status}${text === '' ? '' : `: ${text}`}`);
  }
}

function target({ path, index, waitMs, stale }: ConsulQuery): string {
  const parameters = stale ? ['stale'] : [];
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
    if (length > BODY_LIMIT) throw new PilotlightError('DISCOVERY_FAILED', 'sends an answer of more than 32 MiB');
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

function readIndex(header: string | string[] | undefined): bigint | undefined {
  return typeof header === 'string' && /^\d{1,20}$/.test(header) ? BigInt(header) : undefined;
}
