import { Fault, type FaultText, strangerIn } from './faults.ts';
import { hasToken, optionsOf } from './field-lists.ts';
import { codingFault, Framing, type FramingKind, parseLength } from './framing.ts';
import { Field, Head } from './head.ts';

/**
 * One response head of an upstream, interpreted. The object belongs to an upstream connection, and is used again for
 * each response.
 */
export class ResponseHead {
  readonly head = new Head();
  status = 0;
  framing: FramingKind = Framing.NONE;
  length = 0;
  /** Whether a Content-Length was sent (kept for HEAD and 304, where no body follows). */
  lengthSent = false;
  /** Whether the upstream connection may be used again after this response. */
  keepAlive = true;
  /** Value of Upgrade where Connection names it. */
  upgrade: string | undefined;
  hasRequestId = false;
  hasDate = false;
  /** What is wrong with the last invalid head. */
  fault: FaultText = Fault.NO_HTTP;
  /** It is of HTTP/1.0, which has no transfer codings and no interim answers. */
  old = false;
  /** It came by HTTP/2: trailers may follow content of any length. */
  readonly isHttp2: boolean;

  constructor(isHttp2 = false) {
    this.isHttp2 = isHttp2;
  }

  /**
   * Reads a head and decides how its body is delimited (RFC 9112 §6.3) for the request method it answers.
   * @param bytes hold the text from `from` on
   * @param maxFields most fields
   * @returns whether it is valid, with at most one framing
   */
  parse(text: string, bytes: Buffer, from: number, method: string, maxFields: number): boolean {
    this.length = 0;
    this.lengthSent = false;
    this.upgrade = undefined;
    this.hasRequestId = false;
    this.hasDate = false;
    const head = this.head;
    if (!head.parse(text, bytes, from, maxFields, true)) return this.#broken(strangerIn(text) ?? head.fault);
    if (head.count > maxFields) return this.#broken(Fault.TOO_MANY_FIELDS);
    if (!this.#parseLine(text, head.lineEnd)) return this.#broken(strangerIn(text) ?? Fault.BAD_STATUS_LINE);
    return this.#readFields(method);
  }

  #broken(fault: FaultText): false {
    this.fault = fault;
    return false;
  }

  #parseLine(text: string, lineEnd: number): boolean {
    if (lineEnd < 12 || !text.startsWith('HTTP/1.')) return false;
    const minor = text.charCodeAt(7) - 48;
    if (minor < 0 || minor > 9 || text.charCodeAt(8) !== 32) return false;
    const hundreds = text.charCodeAt(9) - 48;
    const tens = text.charCodeAt(10) - 48;
    const ones = text.charCodeAt(11) - 48;
    if (hundreds < 1 || hundreds > 5 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return false;
    if (lineEnd > 12 && text.charCodeAt(12) !== 32) return false;
    for (let at = 13; at < lineEnd; at++) {
      const code = text.charCodeAt(at);
      if ((code < 32 && code !== 9) || code === 127) return false;
    }
    this.status = hundreds * 100 + tens * 10 + ones;
    this.old = minor === 0;
    this.keepAlive = !this.old;
    return true;
  }

  #readFields(method: string): boolean {
    const head = this.head;
    let codings = 0;
    let coding = '';
    let connection: string | undefined;
    let upgrade: string | undefined;
    for (let index = 0; index < head.count; index++) {
      switch (head.kind(index)) {
        case Field.CONTENT_LENGTH: {
          head.drop(index);
          const length = parseLength(head.value(index));
          if (length === undefined) return this.#broken(Fault.BAD_LENGTH);
          if (this.lengthSent && length !== this.length) return this.#broken(Fault.TWO_LENGTHS);
          this.lengthSent = true;
          this.length = length;
          break;
        }
        case Field.TRANSFER_ENCODING:
          head.drop(index);
          codings++;
          coding = head.value(index).toLowerCase();
          break;
        case Field.CONNECTION:
          head.drop(index);
          connection = connection === undefined ? head.value(index) : `${connection},${head.value(index)}`;
          break;
        case Field.UPGRADE:
          head.drop(index);
          upgrade = head.value(index);
          break;
        case Field.HOP:
          head.drop(index);
          break;
        case Field.X_REQUEST_ID:
          this.hasRequestId = true;
          break;
        case Field.DATE:
          this.hasDate = true;
          break;
      }
    }
    if (connection !== undefined) this.#readConnection(connection, upgrade);
    return this.#frame(method, codings, coding);
  }

  #readConnection(connection: string, upgrade: string | undefined): void {
    // Most servers send this; to take it apart would cost 1 µs of 50.
    if (connection === 'keep-alive') {
      this.keepAlive = true;
      return;
    }
    const options = optionsOf(connection);
    if (options.delete('keep-alive')) this.keepAlive = true;
    if (options.delete('upgrade')) this.upgrade = upgrade;
    if (hasToken(connection, 'close')) this.keepAlive = false;
    // A field that Connection names is not passed on, so the client gets ours.
    if (options.has('x-request-id')) this.hasRequestId = false;
    if (options.has('date')) this.hasDate = false;
    this.head.dropNamed(options);
  }

  /**
   * Decides the framing in the order of RFC 9112 §6.3. A transfer coding overrides a length, and such a connection is
   * not used again.
   */
  #frame(method: string, codings: number, coding: string): boolean {
    const { status } = this;
    if (codings > 0) {
      if (codings > 1 || coding !== 'chunked') return this.#broken(codingFault(coding, codings));
      if (this.old) return this.#broken(Fault.OLD_CODING);
      if (this.lengthSent) this.keepAlive = false;
      this.lengthSent = false;
    }
    if (status < 200 || status === 204 || status === 304 || method === 'HEAD') {
      this.framing = Framing.NONE;
      if (status < 200 || status === 204) this.lengthSent = false;
      return true;
    }
    if (codings > 0) {
      this.framing = Framing.CHUNKED;
      return true;
    }
    if (this.lengthSent) {
      this.framing = Framing.LENGTH;
      return true;
    }
    this.framing = Framing.CLOSE;
    this.keepAlive = false;
    return true;
  }
}
