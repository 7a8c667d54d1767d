import { randomBytes } from 'node:crypto';
import { Fault, type FaultText } from '../../http1/faults.ts';
import { CONNECTION_FIELDS, fieldFault } from '../../http2/field-faults.ts';
import { allIn, TARGET, TCHAR } from '../../io/http-syntax.ts';

/** A request of HTTP/2 as the head of one of HTTP/1.1. */
export interface RequestText {
  /** The head without its empty line. All of it is Latin-1. */
  readonly text: string;
  /** Fields in it. Whoever parses it must find as many: then no value has become a field of its own. */
  readonly fields: number;
  /** It asks for a tunnel (RFC 8441): what follows is no content. */
  readonly isTunnel: boolean;
}

/** The one protocol of an extended CONNECT that is understood, as services of HTTP/1.1 know it too. */
const WEB_SOCKET = 'websocket';

/** The pseudo-fields of a request. */
interface Pseudo {
  method: string | undefined;
  scheme: string | undefined;
  path: string | undefined;
  authority: string | undefined;
  protocol: string | undefined;
}

/** Looked up whole: to take a name apart makes a new string for each, which V8 has to hash. */
const PSEUDO_FIELDS: ReadonlyMap<string, keyof Pseudo> = new Map([
  [':method', 'method'],
  [':scheme', 'scheme'],
  [':path', 'path'],
  [':authority', 'authority'],
  [':protocol', 'protocol'],
]);

/**
 * Translates the fields of a request of HTTP/2 (RFC 9113 §8.3, RFC 8441), strictly: nothing in them can become a part of
 * the text that it was not before. What both versions have in common is left to the parser of HTTP/1.1.
 * @param raw names and values in turn, as they came
 * @param ended no content follows
 * @returns the rule that the request breaks, where it breaks one
 */
export function requestText(raw: readonly string[], ended: boolean): RequestText | FaultText {
  const pseudo: Pseudo = {
    method: undefined,
    scheme: undefined,
    path: undefined,
    authority: undefined,
    protocol: undefined,
  };
  const from = readPseudo(raw, pseudo);
  if (typeof from === 'string') return from;
  const line = requestLine(pseudo);
  if (line === undefined) return Fault.BAD_PSEUDO;
  return new Fields(pseudo.authority, pseudo.protocol === WEB_SOCKET).read(raw, from, line, ended);
}

/** Reads the pseudo-fields, which come first and once each. @returns where the others begin */
function readPseudo(raw: readonly string[], pseudo: Pseudo): number | FaultText {
  let at = 0;
  for (; at < raw.length; at += 2) {
    const name = raw[at] as string;
    if (name.charCodeAt(0) !== 58) break;
    const key = PSEUDO_FIELDS.get(name);
    if (key === undefined || pseudo[key] !== undefined) return Fault.BAD_PSEUDO;
    pseudo[key] = raw[at + 1] as string;
  }
  return at;
}

/** @returns undefined where the pseudo-fields make no request */
function requestLine({ method, scheme, path, authority, protocol }: Pseudo): string | undefined {
  if (method === undefined || !allIn(TCHAR, method, 0, method.length)) return undefined;
  if (authority !== undefined && !allIn(TARGET, authority, 0, authority.length)) return undefined;
  if (method === 'CONNECT' && protocol === undefined) {
    const isConnect = authority !== undefined && scheme === undefined && path === undefined;
    return isConnect ? refusedConnect(authority) : undefined;
  }
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  if (path === undefined || !allIn(TARGET, path, 0, path.length)) return undefined;
  // An absolute target would name another host than :authority does.
  if (path.charCodeAt(0) !== 47 && path !== '*') return undefined;
  if (protocol === undefined) return `${method} ${path} HTTP/1.1\r\n`;
  if (method !== 'CONNECT' || authority === undefined) return undefined;
  if (protocol !== WEB_SOCKET) return refusedConnect(authority);
  return `GET ${path} HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: ${WEB_SOCKET}\r\n`;
}

/** A CONNECT that leads nowhere: whoever parses it refuses the method. */
function refusedConnect(authority: string): string {
  return `CONNECT ${authority} HTTP/1.1\r\n`;
}

/** Reads the fields of one request that are no pseudo-fields. */
class Fields {
  readonly #authority: string | undefined;
  readonly #isTunnel: boolean;
  #hasHost = false;
  #hasLength = false;
  /** Crumbs of Cookie, which are one field in HTTP/1.1 (RFC 9113 §8.2.3). */
  #cookie: string | undefined;

  constructor(authority: string | undefined, isTunnel: boolean) {
    this.#authority = authority;
    this.#isTunnel = isTunnel;
  }

  read(raw: readonly string[], from: number, line: string, ended: boolean): RequestText | FaultText {
    let text = line;
    let fields = this.#isTunnel ? 2 : 0;
    if (this.#authority !== undefined) {
      text += `host: ${this.#authority}\r\n`;
      fields++;
    }
    for (let at = from; at < raw.length; at += 2) {
      const name = raw[at] as string;
      const value = raw[at + 1] as string;
      const fault = fieldFault(name, value);
      if (fault !== undefined) return fault;
      const taken = this.#take(name, value);
      if (typeof taken === 'string') return taken;
      if (taken) continue;
      text += `${name}: ${value}\r\n`;
      fields++;
    }
    const more = this.#more(ended);
    for (const field of more) text += field;
    return { text, fields: fields + more.length, isTunnel: this.#isTunnel };
  }

  /** @returns whether the field is not written as it came; or the rule that it breaks */
  #take(name: string, value: string): boolean | FaultText {
    switch (name) {
      case 'host':
        if (this.#authority === undefined) {
          this.#hasHost = true;
          return false;
        }
        // Two hosts would let a rule look at one, and the service at the other.
        if (this.#hasHost || value.toLowerCase() !== this.#authority.toLowerCase()) return Fault.AUTHORITY_AND_HOST;
        this.#hasHost = true;
        return true;
      case 'cookie':
        this.#cookie = this.#cookie === undefined ? value : `${this.#cookie}; ${value}`;
        return true;
      case 'content-length':
        this.#hasLength = true;
        // A tunnel has no content.
        return this.#isTunnel ? Fault.WRONG_LENGTH : false;
      case 'te':
        return value.toLowerCase() === 'trailers' ? false : Fault.CONNECTION_FIELD;
      case 'sec-websocket-key':
        // It is the upstream's connection that it is for (RFC 8441 §5).
        return this.#isTunnel;
      default:
        return CONNECTION_FIELDS.has(name) ? Fault.CONNECTION_FIELD : false;
    }
  }

  /** Fields that HTTP/1.1 needs. */
  #more(ended: boolean): string[] {
    const more: string[] = [];
    if (this.#cookie !== undefined) more.push(`cookie: ${this.#cookie}\r\n`);
    if (this.#isTunnel) more.push(`sec-websocket-key: ${randomBytes(16).toString('base64')}\r\n`);
    else if (!ended && !this.#hasLength) more.push('transfer-encoding: chunked\r\n');
    return more;
  }
}
