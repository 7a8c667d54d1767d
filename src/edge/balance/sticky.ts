import { createHmac } from 'node:crypto';
import type { StickySettings } from '../../model/balancing.ts';
import { cookieValue } from '../http1/cookies.ts';
import type { Head } from '../http1/head.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Length of a cookie's value, characters: 126 bits in base64url. */
const VALUE_LENGTH = 21;

/**
 * Brings clients back to their endpoints by a cookie. Without the key its value says nothing: neither an address nor
 * whether two services share one.
 */
export class StickyCookie {
  readonly #service: string;
  readonly #key: string;
  readonly #name: string;
  readonly #attributes: string;
  #endpoints = new Map<string, Endpoint>();
  #values = new Map<Endpoint, string>();

  /** @param key edges with the same key understand each other's cookies */
  constructor(service: string, { cookie, ttlMs }: StickySettings, key: string) {
    this.#service = service;
    this.#key = key;
    this.#name = cookie;
    const age = ttlMs === 0 ? '' : `; Max-Age=${Math.ceil(ttlMs / 1000)}`;
    this.#attributes = `; Path=/${age}; HttpOnly; SameSite=Lax`;
  }

  /** Lets cookies lead to exactly these endpoints from now on. */
  follow(endpoints: readonly Endpoint[]): void {
    const values = new Map(endpoints.map((each) => [each, this.#values.get(each) ?? this.#valueOf(each)]));
    this.#values = values;
    this.#endpoints = new Map([...values].map(([endpoint, value]) => [value, endpoint]));
  }

  /** Returns the endpoint that a request's cookie names; undefined without a cookie, or when that endpoint is gone. */
  endpointOf(request: Head): Endpoint | undefined {
    const value = cookieValue(request, this.#name);
    return value === undefined ? undefined : this.#endpoints.get(value);
  }

  /**
   * Makes the field for an answer of the endpoint; empty where the client keeps its cookie, as when its own endpoint is
   * merely full or failed this one request.
   * @param secure whether the client came by TLS
   */
  field(request: Head, endpoint: Endpoint, secure: boolean): string {
    const before = this.endpointOf(request);
    const value = this.#values.get(endpoint);
    if (value === undefined || before === endpoint || before?.isOpen === true) return '';
    return `Set-Cookie: ${this.#name}=${value}${this.#attributes}${secure ? '; Secure' : ''}\r\n`;
  }

  /** Makes the cookie's value of the address, so that it survives a restart of the proxy or of a replica. */
  #valueOf({ host, port }: Endpoint): string {
    const text = `${this.#service}\n${host}\n${port}`;
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, VALUE_LENGTH);
  }
}
