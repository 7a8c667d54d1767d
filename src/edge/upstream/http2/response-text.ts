import { createHash } from 'node:crypto';
import { Fault, type FaultText } from '../../http1/faults.ts';
import { CONNECTION_FIELDS, fieldFault } from '../../http2/field-faults.ts';

/** A head of HTTP/2 as one of HTTP/1.1. */
interface ResponseText {
  /** The head without its empty line. All of it is Latin-1. */
  readonly text: string;
  /** Fields in it: whoever parses it must find as many. */
  readonly fields: number;
}

/** What a key is joined with to be accepted (RFC 6455 §4.2.2). */
const WEB_SOCKET_ID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Translates the fields of a response (RFC 9113 §8.3.2), strictly. Its content is delimited as HTTP/1.1 does it: by its
 * length where that is known, else in chunks.
 * @param raw names and values in turn, as they came
 * @param method of the request
 * @param ended no content follows
 * @param tunnelKey of the request for a WebSocket that this answers: a 2xx is its 101 (RFC 8441 §5)
 * @returns the rule that the response breaks, where it breaks one
 */
export function responseText(
  raw: readonly string[],
  method: string,
  ended: boolean,
  tunnelKey: string | undefined,
): ResponseText | FaultText {
  const status = raw[1] ?? '';
  if (raw[0] !== ':status' || !/^[1-5]\d\d$/.test(status)) return Fault.BAD_PSEUDO;
  if (status === '101') return Fault.UNASKED_SWITCH;
  const isTunnel = tunnelKey !== undefined && status.startsWith('2') && !ended;
  let text = isTunnel ? 'HTTP/1.1 101 Switching Protocols\r\n' : `HTTP/1.1 ${status} \r\n`;
  let fields = 0;
  let hasLength = false;
  for (let at = 2; at < raw.length; at += 2) {
    const name = raw[at] as string;
    const value = raw[at + 1] as string;
    const fault = fieldFault(name, value);
    if (fault !== undefined) return fault;
    if (CONNECTION_FIELDS.has(name)) return Fault.CONNECTION_FIELD;
    if (name === 'content-length') hasLength = true;
    text += `${name}: ${value}\r\n`;
    fields++;
  }
  const more = isTunnel
    ? switching(tunnelKey)
    : hasLength || status.startsWith('1')
      ? []
      : framing(method, status, ended);
  for (const line of more) text += line;
  return { text, fields: fields + more.length };
}

function switching(key: string): string[] {
  const accept = createHash('sha1').update(`${key}${WEB_SOCKET_ID}`).digest('base64');
  return ['connection: upgrade\r\n', 'upgrade: websocket\r\n', `sec-websocket-accept: ${accept}\r\n`];
}

/** The end of an answer without content is known, but not what a length would be of those that never have any. */
function framing(method: string, status: string, ended: boolean): string[] {
  const hasContent = method !== 'HEAD' && status !== '204' && status !== '304';
  return [ended && hasContent ? 'content-length: 0\r\n' : 'transfer-encoding: chunked\r\n'];
}
