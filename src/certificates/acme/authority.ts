import type { KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../util/clock.ts';
import { type AuthorityError, isObject, nonsense, refusal } from './authority-error.ts';
import { signJws } from './jws.ts';
import type { Reply, Transport } from './transport.ts';

/** How often a request is signed anew whose nonce the authority does not take (RFC 8555 §6.5). */
const NONCE_ATTEMPTS = 10;
/** Most nonces kept for later: each answer brings one. */
const MAX_NONCES = 10;
/** Longest time that an authority's Retry-After is believed, ms. */
const LONGEST_RETRY_MS = 24 * 3_600_000;

/** Where an authority does what, and what it offers (RFC 8555 §7.1.1). */
export interface Directory {
  newNonce: string;
  newAccount: string;
  newOrder: string;
  /** Undefined: it gives no advice on renewals (RFC 9773). */
  renewalInfo: string | undefined;
  /** Names of the profiles that it offers. */
  profiles: string[];
  /** Accounts are made for those alone who have one with it already. */
  needsBinding: boolean;
}

/** An answer that is no refusal. `content`: its JSON; undefined where it has none. */
export interface Answer extends Reply {
  content: Record<string, unknown> | undefined;
}

/** Who signs a request: a key, and the address of its account where it has one. */
export interface Signer {
  key: KeyObject;
  kid: string | undefined;
}

/** An authority as its clients reach it: its directory, nonces and signed requests (RFC 8555 §6). */
export class Authority {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #url: string;
  #nonces: string[] = [];
  #newNonce = '';

  /** @param url of its directory */
  constructor(transport: Transport, clock: Clock, url: string) {
    this.#transport = transport;
    this.#clock = clock;
    this.#url = url;
  }

  /** Asks for the directory. @throws ACME_UNREACHABLE, ACME_REFUSED, the signal's reason; so does all below */
  async directory(signal: AbortSignal): Promise<Directory> {
    const { content = {} } = await this.get(this.#url, signal);
    const { newNonce, newAccount, newOrder, renewalInfo, meta } = content;
    if (typeof newNonce !== 'string' || typeof newAccount !== 'string' || typeof newOrder !== 'string') {
      throw nonsense('a directory that lacks newNonce, newAccount or newOrder: is `directory` its address?');
    }
    this.#newNonce = newNonce;
    const { profiles, externalAccountRequired } = isObject(meta) ? meta : {};
    return {
      newNonce,
      newAccount,
      newOrder,
      renewalInfo: typeof renewalInfo === 'string' ? renewalInfo : undefined,
      profiles: isObject(profiles) ? Object.keys(profiles) : [],
      needsBinding: externalAccountRequired === true,
    };
  }

  /** Asks for something that everybody may see. */
  async get(url: string, signal: AbortSignal): Promise<Answer> {
    return this.#judge(await this.#transport.ask({ method: 'GET', url }, signal));
  }

  /** Sends a signed request. @param payload undefined: asks for what is at the address */
  async post(url: string, signer: Signer, payload: object | undefined, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const nonce = this.#nonces.pop() ?? (await this.#freshNonce(signal));
      const content = signJws(signer.key, { url, nonce, kid: signer.kid }, payload);
      const reply = await this.#transport.ask({ method: 'POST', url, content }, signal);
      this.#keepNonce(reply.headers);
      try {
        return this.#judge(reply);
      } catch (error) {
        if ((error as AuthorityError).problem !== 'badNonce' || attempt === NONCE_ATTEMPTS) throw error;
      }
    }
  }

  /** When to ask again, ms from now, as an answer says; undefined: it does not (RFC 9110 §10.2.3). */
  retryAfterMs(headers: IncomingHttpHeaders): number | undefined {
    const text = headers['retry-after'];
    if (text === undefined) return undefined;
    const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - this.#clock.wall();
    return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_RETRY_MS);
  }

  async #freshNonce(signal: AbortSignal): Promise<string> {
    const { headers } = await this.#transport.ask({ method: 'HEAD', url: this.#newNonce }, signal);
    this.#keepNonce(headers);
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw nonsense('no nonce');
    return nonce;
  }

  #keepNonce(headers: IncomingHttpHeaders): void {
    const nonce = headers['replay-nonce'];
    if (typeof nonce !== 'string' || !/^[A-Za-z0-9_-]+$/.test(nonce)) return;
    this.#nonces = [...this.#nonces.slice(1 - MAX_NONCES), nonce];
  }

  #judge(reply: Reply): Answer {
    const { status, headers, body } = reply;
    const isJson = /\bjson\b/.test(headers['content-type'] ?? '');
    let content: unknown;
    try {
      content = isJson ? JSON.parse(body) : undefined;
    } catch {
      throw nonsense('JSON that is broken');
    }
    if (status >= 400) throw refusal(content, status, this.retryAfterMs(headers));
    if (status >= 300) throw nonsense(`status ${status}: redirects are not followed`);
    return { ...reply, content: isObject(content) ? content : undefined };
  }
}
