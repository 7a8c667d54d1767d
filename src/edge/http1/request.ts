import type { RefusalCode } from '../../model/refusals.ts';
import { allBytesIn, hostOf, isLongList, TARGET, TCHAR, trimOws } from '../io/http-syntax.ts';
import { Fault, type FaultText } from './faults.ts';
import { hasToken, optionsOf } from './field-lists.ts';
import { codingFault, Framing, type FramingKind, parseLength } from './framing.ts';
import { Field, Head } from './head.ts';

/** Limits on a request head. A head beyond one is refused with the status of RFC 9110 §15.5 or RFC 6585. */
export interface HeadLimits {
  /** Bytes of the whole head. */
  headBytes: number;
  /** Number of fields, and of members in a list that frames or steers the message. */
  fields: number;
  /** Bytes of the request target. */
  targetBytes: number;
}

/**
 * One request head as the client sent it, interpreted. The object belongs to a connection, and is used again for each
 * request.
 */
export class RequestHead {
  readonly head = new Head();
  method = '';
  /** In origin-form or `*`, exactly as received (an absolute-form is cut to its path and query). */
  target = '';
  /** End of the path within `target`: the position of `?`, or its length. */
  pathEnd = 0;
  /** It is of HTTP/1.0: no chunked coding, no interim responses, and the connection closes unless asked to stay. */
  old = false;
  /** The host to route by: lower case, no port; empty for HTTP/1.0 without Host. */
  host = '';
  /** The Host value that goes upstream, as it was sent. */
  hostValue = '';
  framing: FramingKind = Framing.NONE;
  length = 0;
  /** Whether the client wants the connection kept. */
  keepAlive = true;
  /** Value of Upgrade where Connection names it; undefined otherwise. */
  upgrade: string | undefined;
  expectContinue = false;
  /** Max-Forwards of an OPTIONS request (RFC 9110 §7.6.2); undefined for other methods. */
  maxForwards: number | undefined;
  /** `TE: trailers` was sent. */
  trailers = false;
  requestId: string | undefined;
  /** Value of X-Forwarded-For, several fields joined. */
  forwardedFor: string | undefined;
  /** Value of Forwarded, several fields joined. */
  forwarded: string | undefined;
  /** What is wrong with a refused request; undefined where the refusal says it all. */
  fault: FaultText | undefined;
  /** There are other forwarding fields. The connection decides whether to believe them. */
  hasForwarding = false;

  /** The request line for the upstream: origin-form and HTTP/1.1. Mostly it is as it came. */
  get line(): string {
    const { text, lineEnd } = this.head;
    const { target } = this;
    if (text.charCodeAt(lineEnd - 1) === 49 && lineEnd === this.method.length + target.length + 10) {
      return text.slice(0, lineEnd + 2);
    }
    return `${this.method} ${target} HTTP/1.1\r\n`;
  }

  /** Whether a body follows the head. */
  get hasBody(): boolean {
    return this.framing === Framing.CHUNKED || this.length > 0;
  }

  /**
   * Reads a head (without the final empty line) and interprets it. Hop-by-hop and framing fields are dropped, for the
   * sender to write anew (RFC 9110 §7.6.1, RFC 9112 §6).
   * @param bytes hold the text from `from` on
   * @returns undefined, or why the request is refused
   */
  parse(text: string, bytes: Buffer, from: number, limits: HeadLimits): RefusalCode | undefined {
    this.method = '';
    this.framing = Framing.NONE;
    this.length = 0;
    this.old = false;
    this.upgrade = undefined;
    this.expectContinue = false;
    this.maxForwards = undefined;
    this.trailers = false;
    this.requestId = undefined;
    this.forwardedFor = undefined;
    this.forwarded = undefined;
    this.hasForwarding = false;
    this.fault = undefined;
    const head = this.head;
    if (!head.parse(text, bytes, from, limits.fields, false)) return this.#bad(head.fault);
    const refusal = this.#parseLine(text, bytes, from, limits.targetBytes);
    if (refusal !== undefined) return refusal;
    if (head.count > limits.fields) {
      this.fault = Fault.TOO_MANY_FIELDS;
      return 'HEAD_TOO_LARGE';
    }
    return this.#readFields(limits.fields);
  }

  /** Whether there are forwarding fields of any kind. */
  get isForwarded(): boolean {
    return this.hasForwarding || this.forwardedFor !== undefined || this.forwarded !== undefined;
  }

  #bad(fault: FaultText): RefusalCode {
    return this.#refused('BAD_REQUEST', fault);
  }

  #refused(code: RefusalCode, fault: FaultText): RefusalCode {
    this.fault = fault;
    return code;
  }

  /** Drops the forwarding fields of a peer that is not trusted. */
  dropForwarding(): void {
    const { head } = this;
    for (let index = 0; index < head.count; index++) {
      if (head.kind(index) === Field.FORWARDING) head.drop(index);
    }
  }

  #parseLine(text: string, bytes: Buffer, from: number, targetBytes: number): RefusalCode | undefined {
    const { lineEnd } = this.head;
    const methodEnd = text.indexOf(' ');
    if (methodEnd < 0 || methodEnd > lineEnd || !allBytesIn(TCHAR, bytes, from, from + methodEnd))
      return this.#bad(Fault.BAD_METHOD);
    const targetEnd = text.indexOf(' ', methodEnd + 1);
    if (targetEnd < 0 || targetEnd > lineEnd) return this.#bad(Fault.BAD_REQUEST_LINE);
    if (targetEnd - methodEnd - 1 > targetBytes) return 'TARGET_TOO_LONG';
    if (!allBytesIn(TARGET, bytes, from + methodEnd + 1, from + targetEnd)) return this.#bad(Fault.BAD_TARGET);
    if (lineEnd - targetEnd !== 9 || !text.startsWith('HTTP/', targetEnd + 1)) return this.#bad(Fault.BAD_REQUEST_LINE);
    const major = text.charCodeAt(targetEnd + 6) - 48;
    const minor = text.charCodeAt(targetEnd + 8) - 48;
    if (major < 1 || major > 9 || minor < 0 || minor > 9 || text.charCodeAt(targetEnd + 7) !== 46)
      return this.#bad(Fault.BAD_VERSION);
    if (major !== 1) return 'VERSION_UNKNOWN';
    this.old = minor === 0;
    this.keepAlive = minor !== 0;
    this.method = methodOf(text, methodEnd);
    if (this.method === 'CONNECT' || this.method === 'TRACE') return 'METHOD_REFUSED';
    return this.#readTarget(text.slice(methodEnd + 1, targetEnd));
  }

  /**
   * Reads a target (RFC 9112 §3.2): origin-form, absolute-form (its authority replaces Host), or `*` with OPTIONS only.
   */
  #readTarget(target: string): RefusalCode | undefined {
    this.host = '';
    this.hostValue = '';
    if (target.charCodeAt(0) === 47) {
      this.target = target;
    } else if (target === '*') {
      if (this.method !== 'OPTIONS') return this.#bad(Fault.BAD_TARGET);
      this.target = target;
    } else {
      const match = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
      if (match === null) return this.#bad(Fault.BAD_TARGET);
      this.hostValue = match[1] as string;
      const host = hostOf(this.hostValue);
      if (host === undefined) return this.#refused('BAD_HOST', Fault.BAD_HOST);
      this.host = host;
      const rest = match[2] as string;
      if (rest === '') this.target = this.method === 'OPTIONS' ? '*' : '/';
      else this.target = rest.charCodeAt(0) === 47 ? rest : `/${rest}`;
    }
    const query = this.target.indexOf('?');
    this.pathEnd = query < 0 ? this.target.length : query;
    // Some applications read a path no further than to a NUL.
    const nul = this.target.indexOf('%00');
    return nul >= 0 && nul < this.pathEnd ? 'AMBIGUOUS_PATH' : undefined;
  }

  /** @param most members of a list */
  #readFields(most: number): RefusalCode | undefined {
    const head = this.head;
    const absolute = this.hostValue !== '';
    let hosts = 0;
    let lengths = 0;
    let codings = 0;
    let coding = '';
    let connection: string | undefined;
    let upgrade: string | undefined;
    let te: string | undefined;
    for (let index = 0; index < head.count; index++) {
      const kind = head.kind(index);
      if (kind === Field.OTHER) continue;
      switch (kind) {
        case Field.HOST: {
          hosts++;
          head.drop(index);
          const value = head.value(index);
          const host = this.#remember(value, value === this.#lastHostValue ? this.#lastHost : hostOf(value));
          if (host === undefined) return this.#refused('BAD_HOST', Fault.BAD_HOST);
          if (!absolute) {
            this.hostValue = value;
            this.host = host;
          }
          break;
        }
        case Field.CONTENT_LENGTH: {
          head.drop(index);
          const value = head.value(index);
          if (isLongList(value, most)) return this.#refused('HEAD_TOO_LARGE', Fault.LONG_LIST);
          const length = parseLength(value);
          if (length === undefined) return this.#bad(Fault.BAD_LENGTH);
          if (lengths > 0 && length !== this.length) return this.#bad(Fault.TWO_LENGTHS);
          lengths++;
          this.length = length;
          break;
        }
        case Field.TRANSFER_ENCODING:
          head.drop(index);
          codings++;
          coding = head.value(index);
          if (isLongList(coding, most)) return this.#refused('HEAD_TOO_LARGE', Fault.LONG_LIST);
          break;
        case Field.CONNECTION:
          head.drop(index);
          connection = joined(connection, head.value(index));
          break;
        case Field.UPGRADE:
          head.drop(index);
          upgrade = joined(upgrade, head.value(index));
          break;
        case Field.HOP:
        case Field.ALIAS:
          head.drop(index);
          break;
        case Field.TE:
          head.drop(index);
          te = joined(te, head.value(index));
          break;
        case Field.EXPECT:
          head.drop(index);
          if (head.value(index).toLowerCase() === '100-continue' && !this.old) this.expectContinue = true;
          break;
        case Field.MAX_FORWARDS:
          if (this.method === 'OPTIONS') this.#readMaxForwards(index);
          break;
        case Field.X_REQUEST_ID:
          head.drop(index);
          this.requestId = head.value(index);
          break;
        case Field.FORWARDING:
          if (isLongList(head.value(index), most)) return this.#refused('HEAD_TOO_LARGE', Fault.LONG_LIST);
          this.hasForwarding = true;
          break;
        case Field.FORWARDED:
          head.drop(index);
          this.forwarded = joined(this.forwarded, head.value(index));
          break;
        case Field.X_FORWARDED_FOR:
          head.drop(index);
          this.forwardedFor = joined(this.forwardedFor, head.value(index));
          break;
      }
    }
    if (hosts > 1) return this.#refused('BAD_HOST', Fault.TWO_HOSTS);
    if (hosts === 0 && !this.old) return this.#refused('BAD_HOST', Fault.NO_HOST);
    if (exceeds(connection, most) || exceeds(upgrade, most) || exceeds(te, most))
      return this.#refused('HEAD_TOO_LARGE', Fault.LONG_LIST);
    if (exceeds(this.forwardedFor, most) || exceeds(this.forwarded, most))
      return this.#refused('HEAD_TOO_LARGE', Fault.LONG_LIST);
    if (te !== undefined) this.trailers = hasToken(te, 'trailers');
    if (connection !== undefined) this.#readConnection(connection, upgrade);
    if (codings > 0) {
      if (this.old) return this.#bad(Fault.OLD_CODING);
      if (lengths > 0) return this.#bad(Fault.LENGTH_AND_CODING);
      coding = coding.toLowerCase();
      if (codings > 1 || coding !== 'chunked') {
        const fault = codingFault(coding, codings);
        return this.#refused(fault === Fault.UNKNOWN_CODING ? 'CODING_UNKNOWN' : 'BAD_REQUEST', fault);
      }
      this.framing = Framing.CHUNKED;
    } else if (lengths > 0) {
      this.framing = Framing.LENGTH;
    }
    return undefined;
  }

  /**
   * Reads Max-Forwards (RFC 9110 §7.6.2). The smallest number is written anew, one less, and no larger than a number
   * can be. A value that is no number is left as it is.
   */
  #readMaxForwards(index: number): void {
    const value = this.head.value(index);
    if (!/^[0-9]+$/.test(value)) return;
    this.head.drop(index);
    this.maxForwards = Math.min(Number(value), this.maxForwards ?? Number.MAX_SAFE_INTEGER);
  }

  #lastHostValue = '';
  #lastHost: string | undefined = undefined;

  /**
   * Remembers the check of one Host, because a connection's requests mostly repeat it. Also of one that was repeated: it is
   * a part of its head, which could not be freed otherwise.
   */
  #remember(value: string, host: string | undefined): string | undefined {
    this.#lastHostValue = value;
    this.#lastHost = host;
    return host;
  }

  #readConnection(connection: string, upgrade: string | undefined): void {
    if (connection === 'keep-alive' || connection === 'Keep-Alive') {
      this.keepAlive = true;
      return;
    }
    if (connection === 'close') {
      this.keepAlive = false;
      return;
    }
    const options = optionsOf(connection);
    if (options.delete('keep-alive')) this.keepAlive = this.keepAlive || this.old;
    if (options.delete('upgrade')) this.upgrade = this.old ? undefined : withoutH2c(upgrade);
    if (hasToken(connection, 'close')) this.keepAlive = false;
    for (const name of options) if (isOurs(name)) options.delete(name);
    this.head.dropNamed(options);
  }
}

/** Joins the values of several fields of one name into one list (RFC 9110 §5.3). */
function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

function exceeds(list: string | undefined, most: number): boolean {
  return list !== undefined && isLongList(list, most);
}

/** Returns one string per common method: a slice of each request would have to be hashed and compared anew. */
function methodOf(text: string, end: number): string {
  if (end === 3 && text.startsWith('GET')) return 'GET';
  if (end === 4 && text.startsWith('POST')) return 'POST';
  return text.slice(0, end);
}

/** Fields that Connection cannot take away, because they frame, route or identify the client (CVE-2024-45410). */
const OURS = new Set(['host', 'content-length', 'transfer-encoding', 'via', 'forwarded', 'x-real-ip', 'x-request-id']);

function isOurs(name: string): boolean {
  return OURS.has(name) || name.startsWith('x-forwarded-');
}

/**
 * Removes h2c from Upgrade: with HTTP/2 in clear text a client would reach the origin past all rules of the proxy, and
 * RFC 9113 §3.1 abolished it.
 */
function withoutH2c(upgrade: string | undefined): string | undefined {
  if (upgrade === undefined || !hasToken(upgrade, 'h2c')) return upgrade;
  const others = upgrade.split(',').filter((part) => trimOws(part).toLowerCase() !== 'h2c');
  return others.length === 0 ? undefined : trimOws(others.join(','));
}
