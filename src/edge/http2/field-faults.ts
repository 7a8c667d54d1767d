import { Fault, type FaultText } from '../http1/faults.ts';
import { allIn, isOws, TCHAR } from '../io/http-syntax.ts';

/** Lower-case tchar: what field names are made of in HTTP/2 (RFC 9113 §8.2.1). */
const NAME = TCHAR.map((is, code) => (is === 1 && (code < 65 || code > 90) ? 1 : 0));
/** What no field value may hold: controls other than a tab, DEL, and what is no byte. */
const FORBIDDEN = /[^\t -~\x80-\xff]/;

/** Fields that belong to a connection of HTTP/1.1 (RFC 9113 §8.2.2). */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Tells what is wrong with a field of HTTP/2, so that nothing in it can become more than one line of HTTP/1.1. */
export function fieldFault(name: string, value: string): FaultText | undefined {
  return nameFault(name) ?? valueFault(value);
}

function nameFault(name: string): FaultText | undefined {
  if (allIn(NAME, name, 0, name.length)) return undefined;
  if (name.charCodeAt(0) === 58) return Fault.BAD_PSEUDO;
  return allIn(TCHAR, name, 0, name.length) ? Fault.UPPER_CASE : Fault.BAD_NAME;
}

function valueFault(value: string): FaultText | undefined {
  if (FORBIDDEN.test(value)) return Fault.CONTROL;
  const { length } = value;
  if (length === 0) return undefined;
  return isOws(value.charCodeAt(0)) || isOws(value.charCodeAt(length - 1)) ? Fault.SPACE_AROUND : undefined;
}
