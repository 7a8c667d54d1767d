import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { getCACertificates } from 'node:tls';
import { withDeadline } from '../../util/abort.ts';
import type { Clock } from '../../util/clock.ts';
import { AuthorityError } from './authority-error.ts';

/** Authorities want to know who asks them (RFC 8555 §6.1). */
const USER_AGENT = `Pilotlight Node.js/${process.versions.node}`;
/** From the connect to the last byte of an answer, ms. */
const ANSWER_MS = 30_000;
/** Largest answer, bytes: chains of certificates have some KiB. */
const MAX_BODY = 256 * 1024;

/** What an authority answered. */
export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Ask {
  method: 'GET' | 'HEAD' | 'POST';
  url: string;
  /** Sent as JSON. */
  content?: object;
  accept?: string;
}

/** Speaks HTTPS with an authority, whatever that answers: with bounds on time and size, and no redirect followed. */
export class Transport {
  readonly #clock: Clock;
  readonly #ca: string[] | undefined;

  /** @param ca PEM of authorities to trust for the connection beside the usual ones; undefined: only those */
  constructor(clock: Clock, ca: string | undefined) {
    this.#clock = clock;
    this.#ca = ca === undefined ? undefined : [...getCACertificates('default'), ca];
  }

  /** @throws ACME_UNREACHABLE, the signal's reason */
  async ask(ask: Ask, signal: AbortSignal): Promise<Reply> {
    if (!ask.url.startsWith('https://')) throw unreachable(ask.url, 'its address is not one of https');
    const late = () => unreachable(ask.url, `no answer within ${ANSWER_MS / 1000} s`);
    try {
      return await withDeadline(this.#clock, ANSWER_MS, signal, late, (limit) => this.#exchange(ask, limit));
    } catch (error) {
      if (error instanceof AuthorityError || signal.aborted) throw error;
      throw unreachable(ask.url, wordsOf(error), error);
    }
  }

  async #exchange({ method, url, content, accept }: Ask, signal: AbortSignal): Promise<Reply> {
    const body = content === undefined ? undefined : JSON.stringify(content);
    const headers = {
      'User-Agent': USER_AGENT,
      ...(accept === undefined ? {} : { Accept: accept }),
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/jose+json', 'Content-Length': Buffer.byteLength(body) }),
    };
    // An order takes a dozen of requests in two months: no connection is kept.
    const options = { method, headers, agent: false, signal, ...(this.#ca && { ca: this.#ca }) };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, options).on('response', resolve).on('error', reject).end(body);
    });
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of response) {
      size += (piece as Buffer).length;
      if (size > MAX_BODY) throw unreachable(url, `an answer of more than ${MAX_BODY / 1024} KiB`);
      pieces.push(piece as Buffer);
    }
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: Buffer.concat(pieces).toString(),
    };
  }
}

/** Any text that a server made is bounded: an address is its host alone. */
function unreachable(url: string, why: string, cause?: unknown): AuthorityError {
  const host = URL.parse(url)?.host ?? 'the authority';
  return new AuthorityError('ACME_UNREACHABLE', `${host} cannot be asked: ${why}`, { cause });
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not trusted (`ca` names one)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is of an authority that is not trusted (`ca` names one)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not trusted (`ca` names one)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that is not trusted (`ca` names one)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

function wordsOf(error: unknown): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === undefined ? 'the connection failed' : (WORDS[code] ?? code);
}
