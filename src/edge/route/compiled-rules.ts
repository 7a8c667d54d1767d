import type { RouteRules } from '../../model/route-rules.ts';
import type { RouteSettings } from '../../model/settings.ts';
import type { TemplateData } from '../../util/template.ts';
import type { Head } from '../http1/head.ts';
import { AddressRanges } from '../io/address-ranges.ts';
import { clientKey } from '../io/client-address.ts';
import { allIn, FIELD_VALUE } from '../io/http-syntax.ts';
import { BasicAuth } from './basic-auth.ts';
import { HeaderEdit } from './header-rules.ts';
import type { PasswordVerifier, PasswordWaiter } from './password-verifier.ts';
import { RateLimiter, type RateShare } from './rate-limiter.ts';
import { Redirect } from './redirect.ts';
import { endOfSegments } from './route-table.ts';
import { StripPrefix } from './strip-prefix.ts';
import { SubjectPatterns } from './subject-patterns.ts';

/** The part of a request that rules look at. */
export interface RuledRequest extends PasswordWaiter {
  /** Address of the client. */
  readonly address: string;
  readonly requestId: string;
  readonly client: { readonly request: RuledHead; readonly peer: { readonly trusted: boolean } };
}

interface RuledHead {
  readonly method: string;
  readonly head: Head;
  readonly host: string;
  readonly target: string;
  readonly pathEnd: number;
  readonly hasForwarding: boolean;
}

/** What the rules decide: the request may go on, waits for a check of its password, or is refused. */
export type Admission =
  | 'granted'
  | 'waiting'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'UNAUTHORIZED'
  | 'AUTH_BUSY'
  | 'AMBIGUOUS_PATH'
  | 'BAD_HOST'
  | 'BAD_REQUEST';

/**
 * The rules of one route, compiled. They remember what they know of clients, so an unchanged rule survives a reload.
 */
export class CompiledRules {
  readonly #redirect: Redirect | undefined;
  /** Redirects the route's path itself to the one with a slash. */
  readonly #slash: Redirect | undefined;
  readonly #segments: number;
  /** Field lines of a 401. */
  readonly challenge: string;
  readonly #strip: StripPrefix | undefined;
  readonly #allow: AddressRanges | undefined;
  readonly #limiter: RateLimiter | undefined;
  readonly #auth: BasicAuth | undefined;
  readonly #request: HeaderEdit | undefined;
  readonly #response: HeaderEdit | undefined;
  /** Undefined: nobody needs a certificate. */
  readonly #subjects: SubjectPatterns | undefined;
  readonly #usesData: boolean;

  /**
   * @param settings validated before
   * @param route whose they are
   * @param rateShare by which the rate is shared with others
   */
  constructor(
    settings: RouteRules,
    route: Pick<RouteSettings, 'path' | 'ambiguousPaths'>,
    verifier: PasswordVerifier,
    rateShare?: RateShare,
  ) {
    const { allow, allowSubjects, rate, basicAuth, redirect, headers } = settings;
    this.#strip = settings.strip && route.path !== '/' ? new StripPrefix(route) : undefined;
    this.#allow = allow.length === 0 ? undefined : new AddressRanges(allow);
    this.#subjects = allowSubjects && new SubjectPatterns(allowSubjects);
    this.#limiter = rate && new RateLimiter((rate.requests / rate.perMs) * 1000, rate.burst, rateShare);
    this.#auth = basicAuth && new BasicAuth(basicAuth, verifier);
    this.challenge = this.#auth?.challenge ?? '';
    this.#redirect = redirect && new Redirect(redirect);
    this.#slash = settings.addSlash && route.path !== '/' ? Redirect.toSlash(route.path) : undefined;
    this.#segments = route.path.split('/').length - 1;
    const hidden = this.#auth?.forward === false ? ['authorization'] : [];
    const { request, response } = headers;
    const editsRequest = request.set.length + request.remove.length + hidden.length > 0;
    this.#request = editsRequest ? new HeaderEdit(request, hidden) : undefined;
    this.#response = response.set.length + response.remove.length > 0 ? new HeaderEdit(response) : undefined;
    this.#usesData = this.#request?.usesData === true || this.#response?.usesData === true;
  }

  /**
   * Counts a request against its client's rate.
   * @returns 0, or how long until it is within the rate, ms
   */
  limit(request: RuledRequest, now: number): number {
    return this.#limiter === undefined ? 0 : this.#limiter.take(clientKey(request.address), now);
  }

  /** Whether the client is let in. @param subject of its certificate; undefined: it has shown none */
  allows(address: string, subject: string | undefined): boolean {
    if (this.#allow !== undefined && !this.#allow.has(address)) return false;
    return this.#subjects === undefined || (subject !== undefined && this.#subjects.has(subject));
  }

  /** Decides whether a request may go on to the service. */
  admit(request: RuledRequest): Admission {
    const { head, host, target, pathEnd } = request.client.request;
    if (this.#strip?.isSafe(target.slice(0, pathEnd)) === false) return 'AMBIGUOUS_PATH';
    if (this.#redirect?.accepts(host) === false) return 'BAD_HOST';
    if (this.#usesData && !isClean(this.#data(request))) return 'BAD_REQUEST';
    if (this.#auth === undefined || this.redirectOf(request) !== undefined) return 'granted';
    const outcome = this.#auth.check(head, request);
    return outcome === 'denied' ? 'UNAUTHORIZED' : outcome === 'busy' ? 'AUTH_BUSY' : outcome;
  }

  /** Tells why a client may not follow the progress of a start; undefined when it may. */
  watchRefusal(address: string, subject: string | undefined, head: Head): 'FORBIDDEN' | 'UNAUTHORIZED' | undefined {
    if (!this.allows(address, subject)) return 'FORBIDDEN';
    return this.#auth === undefined || this.#auth.isKnown(head) ? undefined : 'UNAUTHORIZED';
  }

  /** Returns the redirect that answers a request instead of the service; undefined: none. */
  redirectOf({ client: { request } }: RuledRequest): Redirect | undefined {
    if (this.#slash === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return this.#redirect;
    const path = request.target.slice(0, request.pathEnd);
    return endOfSegments(path, this.#segments) === path.length ? this.#slash : this.#redirect;
  }

  /** Makes the Location for a request that was admitted to a redirect. */
  location(request: RuledRequest, redirect: Redirect): string {
    return redirect.location(this.#data(request));
  }

  /** A request that was told to wait is gone. */
  forget(request: RuledRequest): void {
    this.#auth?.forget(request);
  }

  /** Applies the rules to the head of a request. */
  requestHead(head: string, request: RuledRequest): string {
    const { peer, request: sent } = request.client;
    const believed = peer.trusted && sent.hasForwarding ? sent.head : undefined;
    const out = this.#strip === undefined ? head : this.#strip.apply(head, sent.target, sent.pathEnd, believed);
    if (this.#request === undefined) return out;
    return this.#request.apply(out, this.#request.usesData ? this.#data(request) : undefined);
  }

  /** Takes fields out of the head of an answer, or of an interim one. */
  dropResponseFields(head: Head): void {
    this.#response?.dropFrom(head);
  }

  /** The field lines that are added to those of an answer, made of those that would be without rules. */
  responseFields(added: string, request: RuledRequest): string {
    if (this.#response === undefined) return added;
    return this.#response.applyToFields(added, this.#response.usesData ? this.#data(request) : undefined);
  }

  /** Removes from the trailers of a request what the rules remove from its fields. */
  requestTrailers(trailers: string): string {
    return this.#request === undefined ? trailers : this.#request.stripFields(trailers);
  }

  /** Removes from the trailers of an answer what the rules remove from its fields. */
  responseTrailers(trailers: string): string {
    return this.#response === undefined ? trailers : this.#response.stripFields(trailers);
  }

  #data({ address, requestId, client }: RuledRequest): TemplateData {
    const { target, pathEnd, host } = client.request;
    const sent = target.slice(0, pathEnd);
    const path = this.#strip === undefined ? sent : this.#strip.cut(sent);
    return { client: address, host, path, query: target.slice(pathEnd), 'request-id': requestId };
  }
}

/** Whether request data can be put into a field. The parser lets nothing else through, but this has to be certain. */
function isClean(data: TemplateData): boolean {
  for (const text of Object.values(data)) {
    if (text !== '' && !allIn(FIELD_VALUE, text, 0, text.length)) return false;
  }
  return true;
}
