import { createPrivateKey, type X509Certificate } from 'node:crypto';
import type { AcmeChallenge } from '../../model/tls-settings.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { Account } from './account.ts';
import type { Answer, Authority, Directory } from './authority.ts';
import { AuthorityError, isObject, nonsense, refusal } from './authority-error.ts';
import { renewalId } from './renewal-id.ts';
import { signingRequest } from './signing-request.ts';

/** How often is asked what became of something where the authority does not say, ms; and how often at most. */
const POLL_MS = 2000;
const SHORTEST_POLL_MS = 250;
const LONGEST_POLL_MS = 60_000;
/** How long an authority may take for one step of an order, ms. */
const STEP_MS = 5 * 60_000;
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;
/** What can be proven, and what the proof of it is. */
export interface Proof {
  host: string;
  token: string;
  /** RFC 8555 §8.1. */
  keyAuthorization: string;
}

/** Makes a proof visible to the authority; resolves when it is, with what takes it back. */
export type Show = (proof: Proof) => Promise<() => void>;

/** An order of a certificate for one host (RFC 8555 §7.1.3). */
export interface Order {
  url: string;
  authorizations: string[];
  finalize: string;
  /** Its present state. */
  status: string;
  /** Where the certificate is, once it is there. */
  certificate: string | undefined;
}

/** What an authority gave: PEM. */
export interface Issued {
  chain: string;
  key: string;
}

/** When an authority would have a certificate renewed (RFC 9773 §4.2), ms since the epoch. */
export interface Advice {
  start: number;
  end: number;
  /** When to ask again, ms from now; undefined: it does not say. */
  retryAfterMs: number | undefined;
}

/** Has certificates of one host issued, a step after the other. All throw ACME_UNREACHABLE, ACME_REFUSED, the signal's reason. */
export interface Issuer {
  /** Begins an order. @param replaces the certificate that the new one takes the place of */
  order(host: string, replaces: X509Certificate | undefined, signal: AbortSignal): Promise<Order>;
  /** Goes on with an order that was begun elsewhere; undefined: nothing can come of it any more. */
  resume(order: Order, signal: AbortSignal): Promise<Order | undefined>;
  /** Proves the hold over the host. */
  prove(order: Order, host: string, show: Show, signal: AbortSignal): Promise<void>;
  /** Has the certificate made and fetches it. @param key that it is for, PEM */
  finish(order: Order, host: string, key: string, signal: AbortSignal): Promise<Issued>;
  /** Asks when the certificate should be renewed; undefined: the authority gives no advice. */
  advice(certificate: X509Certificate, signal: AbortSignal): Promise<Advice | undefined>;
}

/** The issuer that an authority is, by ACME (RFC 8555 §7). */
export class AcmeIssuer implements Issuer {
  readonly #clock: Clock;
  readonly #authority: Authority;
  readonly #account: Account;
  readonly #challenge: AcmeChallenge;
  readonly #profile: string | undefined;
  #directory: Directory | undefined;

  constructor(
    clock: Clock,
    authority: Authority,
    account: Account,
    how: { challenge: AcmeChallenge; profile: string | undefined },
  ) {
    this.#clock = clock;
    this.#authority = authority;
    this.#account = account;
    this.#challenge = how.challenge;
    this.#profile = how.profile;
  }

  async order(host: string, replaces: X509Certificate | undefined, signal: AbortSignal): Promise<Order> {
    const directory = await this.#authority.directory(signal);
    this.#directory = directory;
    const { profiles, renewalInfo, newOrder } = directory;
    const profile = this.#profile;
    if (profile !== undefined && !profiles.includes(profile)) {
      const offers = profiles.length === 0 ? 'none' : profiles.slice(0, 10).join(', ');
      throw new AuthorityError('ACME_REFUSED', `the authority offers no profile "${profile}" (it offers ${offers})`);
    }
    const content = { identifiers: [{ type: 'dns', value: host }], ...(profile === undefined ? {} : { profile }) };
    const id = renewalInfo === undefined || replaces === undefined ? undefined : renewalId(replaces);
    try {
      const payload = id === undefined ? content : { ...content, replaces: id };
      return orderOf(await this.#account.post(directory, newOrder, payload, signal));
    } catch (error) {
      // That it is a replacement is for the authority's planning alone (RFC 9773 §5).
      const isForThat = error instanceof AuthorityError && /^(?:alreadyReplaced|malformed)$/.test(error.problem);
      if (id === undefined || !isForThat) throw error;
      return orderOf(await this.#account.post(directory, newOrder, content, signal));
    }
  }

  async resume({ url }: Order, signal: AbortSignal): Promise<Order | undefined> {
    this.#directory = await this.#authority.directory(signal);
    try {
      return { ...orderOf(await this.#post(url, undefined, signal)), url };
    } catch (error) {
      if (error instanceof AuthorityError && error.code === 'ACME_REFUSED') return undefined;
      throw error;
    }
  }

  async prove(order: Order, host: string, show: Show, signal: AbortSignal): Promise<void> {
    for (const url of order.authorizations) {
      const { status, content } = authorizationOf(await this.#post(url, undefined, signal));
      // What was proven lately need not be again.
      if (status !== 'valid') await this.#proveOne(url, content, host, show, signal);
    }
  }

  async #proveOne(
    url: string,
    { challenges }: Record<string, unknown>,
    host: string,
    show: Show,
    signal: AbortSignal,
  ): Promise<void> {
    const all = (Array.isArray(challenges) ? challenges : []).filter(isObject);
    const challenge = all.find(({ type }) => type === this.#challenge);
    if (challenge === undefined) {
      const offers = all.map(({ type }) => String(type).slice(0, 40)).join(', ');
      throw new AuthorityError('ACME_REFUSED', `the authority offers no ${this.#challenge} (it offers ${offers})`);
    }
    const { token, url: answerAt } = challenge;
    if (typeof token !== 'string' || !TOKEN.test(token)) throw nonsense('a token that is none');
    if (typeof answerAt !== 'string') throw nonsense('a challenge without its address');
    const directory = await this.#known(signal);
    const keyAuthorization = `${token}.${await this.#account.thumbprint(directory, signal)}`;
    const hide = await show({ host, token, keyAuthorization });
    try {
      await this.#post(answerAt, {}, signal);
      const proven = await this.#poll('the proof', url, authorizationOf, ({ status }) => status === 'pending', signal);
      if (proven.status !== 'valid') throw whyNot(proven);
    } finally {
      hide();
    }
  }

  async finish(order: Order, host: string, key: string, signal: AbortSignal): Promise<Issued> {
    const isOpen = ({ status }: Order) => status === 'pending' || status === 'processing';
    const ready = await this.#poll('the order', order.url, orderOf, ({ status }) => status === 'pending', signal);
    // Who takes over an order may find it finished already.
    if (ready.status === 'ready') {
      const csr = signingRequest(host, createPrivateKey(key)).toString('base64url');
      await this.#post(order.finalize, { csr }, signal);
    } else if (ready.status !== 'processing' && ready.status !== 'valid') {
      throw nonsense(`an order that is ${ready.status} before it is finished`);
    }
    const done = await this.#poll('the certificate', order.url, orderOf, isOpen, signal);
    if (done.status !== 'valid' || done.certificate === undefined) throw nonsense(`an order that is ${done.status}`);
    const { body } = await this.#post(done.certificate, undefined, signal);
    return { chain: body, key };
  }

  async advice(certificate: X509Certificate, signal: AbortSignal): Promise<Advice | undefined> {
    const { renewalInfo } = await this.#authority.directory(signal);
    const id = renewalId(certificate);
    if (renewalInfo === undefined || id === undefined) return undefined;
    const { content, headers } = await this.#authority.get(`${renewalInfo.replace(/\/$/, '')}/${id}`, signal);
    const window = content?.['suggestedWindow'];
    const at = (key: string) => Date.parse(isObject(window) ? String(window[key]) : '');
    const [start, end] = [at('start'), at('end')];
    if (!(start <= end)) throw nonsense('renewal information without its window');
    return { start, end, retryAfterMs: this.#authority.retryAfterMs(headers) };
  }

  /** Asks again and again until something is not open any more. */
  async #poll<Thing>(
    what: string,
    url: string,
    read: (answer: Answer) => Thing,
    isOpen: (thing: Thing) => boolean,
    signal: AbortSignal,
  ): Promise<Thing> {
    const until = this.#clock.now() + STEP_MS;
    for (;;) {
      const answer = await this.#post(url, undefined, signal);
      const thing = read(answer);
      if (!isOpen(thing)) return thing;
      const wait = this.#authority.retryAfterMs(answer.headers) ?? POLL_MS;
      if (this.#clock.now() > until) {
        throw new AuthorityError(
          'ACME_UNREACHABLE',
          `the authority does not come to an end with ${what} within 5 minutes`,
        );
      }
      await sleep(this.#clock, Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, wait)), signal);
    }
  }

  async #post(url: string, payload: object | undefined, signal: AbortSignal): Promise<Answer> {
    return this.#account.post(await this.#known(signal), url, payload, signal);
  }

  /** The directory that the order began with; asked for where another issuer began it, as before a reload. */
  async #known(signal: AbortSignal): Promise<Directory> {
    this.#directory ??= await this.#authority.directory(signal);
    return this.#directory;
  }
}

function orderOf({ headers, content = {} }: Answer): Order {
  const { status, authorizations, finalize, certificate, error } = content;
  if (status === 'invalid') throw refusal(error, 200);
  if (typeof status !== 'string' || typeof finalize !== 'string' || !Array.isArray(authorizations)) {
    throw nonsense('an order that lacks its state or where it goes on');
  }
  return {
    url: headers.location ?? '',
    authorizations: authorizations.filter((url) => typeof url === 'string'),
    finalize,
    status,
    certificate: typeof certificate === 'string' ? certificate : undefined,
  };
}

function authorizationOf({ content = {} }: Answer): { status: string; content: Record<string, unknown> } {
  const { status } = content;
  if (typeof status !== 'string') throw nonsense('an authorization without its state');
  return { status, content };
}

/** What the authority found wrong with a proof. */
function whyNot({ content }: { content: Record<string, unknown> }): AuthorityError {
  const { challenges } = content;
  const failed = (Array.isArray(challenges) ? challenges : []).find(
    (each) => isObject(each) && isObject(each['error']),
  );
  return refusal(isObject(failed) ? failed['error'] : undefined, 200);
}
