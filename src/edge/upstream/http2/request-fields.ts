import { CONNECTION_FIELDS } from '../../http2/field-faults.ts';
import type { FieldList } from '../../http2/field-list.ts';
import { trimOws } from '../../io/http-syntax.ts';

/** A request of HTTP/1.1 as HTTP/2 sends it. */
interface RequestFields {
  list: FieldList;
  /** Sec-WebSocket-Key of a request for a WebSocket (RFC 8441); undefined: it asks for no tunnel. */
  tunnelKey: string | undefined;
}

const VERSION = ' HTTP/1.1';

/**
 * Translates the head of a request of ours into fields of HTTP/2 (RFC 9113 §8.3.1). What belongs to a connection of
 * HTTP/1.1 is left out, and so is an upgrade to anything but a WebSocket, which nobody has to follow (RFC 9110 §7.8).
 * @param head with its empty line
 * @param isSecure whether it goes through TLS
 */
export function requestFields(head: string, isSecure: boolean): RequestFields {
  const lineEnd = head.indexOf('\r\n');
  const methodEnd = head.indexOf(' ');
  const fields: FieldList = [];
  let authority = '';
  let upgrade = '';
  let key = '';
  for (let start = lineEnd + 2; start < head.length - 2; ) {
    const end = head.indexOf('\r\n', start);
    const colon = head.indexOf(':', start);
    const name = head.slice(start, colon).toLowerCase();
    const value = trimOws(head.slice(colon + 1, end));
    start = end + 2;
    if (name === 'host') authority = value;
    else if (name === 'upgrade') upgrade = value.toLowerCase();
    else if (name === 'sec-websocket-key') key = value;
    else if (!CONNECTION_FIELDS.has(name)) fields.push(name, value);
  }
  const isTunnel = upgrade === 'websocket';
  if (key !== '' && !isTunnel) fields.push('sec-websocket-key', key);
  const method = isTunnel ? 'CONNECT' : head.slice(0, methodEnd);
  const path = head.slice(methodEnd + 1, lineEnd - VERSION.length);
  const list = [':method', method, ':scheme', isSecure ? 'https' : 'http', ':authority', authority, ':path', path];
  if (isTunnel) list.push(':protocol', upgrade);
  return { list: list.concat(fields), tunnelKey: isTunnel ? key : undefined };
}
