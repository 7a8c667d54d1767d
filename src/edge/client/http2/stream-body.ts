import type { IncomingBody } from '../../exchange/downstream.ts';
import { checkedTrailers } from '../../http1/body.ts';
import { Fault, type FaultText } from '../../http1/faults.ts';
import { Framing, type FramingKind } from '../../http1/framing.ts';
import type { RequestHead } from '../../http1/request.ts';
import { CONNECTION_FIELDS, fieldFault } from '../../http2/field-faults.ts';

/** The content of one request of HTTP/2 as it comes: its length is what Content-Length says (RFC 9113 §8.1.1). */
export class StreamBody implements IncomingBody {
  done = false;
  trailers = '';
  fault: FaultText = Fault.WRONG_LENGTH;
  #framing: FramingKind = Framing.NONE;
  #left = 0;

  /** Begins with a request whose head was read. @param ended nothing follows it. @returns whether that can be */
  begin({ framing, length }: RequestHead, ended: boolean): boolean {
    this.trailers = '';
    this.fault = Fault.WRONG_LENGTH;
    this.#framing = framing;
    this.#left = length;
    this.done = ended || framing === Framing.NONE || (framing === Framing.LENGTH && length === 0);
    return !ended || length === 0;
  }

  /** So many bytes of content came. @returns false where they are more than there may be */
  take(size: number): boolean {
    if (this.#framing === Framing.CHUNKED) return true;
    if (size > this.#left) return false;
    this.#left -= size;
    if (this.#left === 0) this.done = true;
    return true;
  }

  /** The client has ended its side. @returns false where content is missing */
  end(): boolean {
    if (this.#framing === Framing.LENGTH && this.#left > 0) return false;
    this.done = true;
    return true;
  }

  /**
   * Takes the trailers. Behind content of a known length there is no place for them in HTTP/1.1: they are left out.
   * @param raw names and values in turn
   * @param most bytes of them
   * @returns whether they may be
   */
  takeTrailers(raw: readonly string[], most: number): boolean {
    let text = '';
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at] as string;
      const value = raw[at + 1] as string;
      const fault = CONNECTION_FIELDS.has(name) ? Fault.CONNECTION_FIELD : fieldFault(name, value);
      if (fault !== undefined) {
        this.fault = fault;
        return false;
      }
      text += `${name}: ${value}\r\n`;
    }
    const checked = text.length > most ? undefined : checkedTrailers(text, raw.length / 2);
    if (checked === undefined) {
      this.fault = text.length > most ? Fault.TRAILERS_TOO_LONG : Fault.BAD_TRAILERS;
      return false;
    }
    if (this.#framing === Framing.CHUNKED) this.trailers = checked;
    return true;
  }
}
