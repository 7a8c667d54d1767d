import { createHmac } from 'node:crypto';
import type { StickySettings } from '../../model/balancing.ts';
import { cookieValue } from '../http1/cookies.ts';
import type { Head } from '../http1/head.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Characters of a cookie's value: 126 bits in base64url. */
const VALUE_LENGTH = 21;

/**
 * The cookie that brings a client back to its endpoint. Its value says nothing to whoever lacks the key: neither an
 * address nor whether two services share one.
 */
export class StickyCookie {
  readonly #service: string;
  readonly #key: string;
  readonly #name: string;
  readonly #attributes: string;
  #endpoints = new Map<string, Endpoint>();
  #values = new Map<Endpoint, string>();

  /** @param key the same wherever the cookies are to mean the same */
  constructor(service: string, { cookie, ttlMs }: StickySettings, key: string) {
    this.#service = service;
    this.#key = key;
    this.#name = cookie;
    const age = ttlMs === 0 ? '' : `; Max-Age=${Math.ceil(ttlMs / 1000)}`;
    this.#attributes = `; Path=/${age}; HttpOnly; SameSite=Lax`;
  }

  /** Cookies may lead to exactly these from now on. */
  follow(endpoints: readonly Endpoint[]): void {
    const values = new Map(endpoints.map((each) => [each, this.#values.get(each) ?? this.#valueOf(each)]));
    this.#values = values;
    this.#endpoints = new Map([...values].map(([endpoint, value]) => [value, endpoint]));
  }

  /** The endpoint that a request's cookie names; undefined where it has none, or that endpoint is gone. */
  endpointOf(request: Head): Endpoint | undefined {
    const value = cookieValue(request, this.#name);
    return value === undefined ? undefined : this.#endpoints.get(value);
  }

  /**
   * The field that an answer of the endpoint carries, or nothing. A cookie stays where its endpoint is merely full, or
   * failed this one request.
   * @param secure whether the client came by TLS
   */
  field(request: Head, endpoint: Endpoint, secure: boolean): string {
    const before = this.endpointOf(request);
    const value = this.#values.get(endpoint);
    if (value === undefined || before === endpoint || before?.isOpen === true) return '';
    return `Set-Cookie: ${this.#name}=${value}${this.#attributes}${secure ? '; Secure' : ''}\r\n`;
  }

  /** Made from the address, so that it stays the same when the proxy or a replica starts again. */
  #valueOf({ host, port }: Endpoint): string {
    const text = `${this.#service}\n${host}\n${port}`;
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, VALUE_LENGTH);
  }
}
