import type { Case, Got, Seen } from './case.ts';
import { PLAIN_GET } from './case.ts';
import { type Message, readMessage, valuesOf } from './message.ts';

/** A row's request as HTTP/2 says it. */
export interface Http2Request {
  /** Names and values in turn, pseudo-fields first. */
  fields: string[];
  body: string;
  /** Names and values in turn; undefined: none follow. */
  trailers: string[] | undefined;
}

/** Fields that HTTP/2 has no place for: what they are about is a matter of HTTP/1.1. */
const OF_A_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'http2-settings'];

/** A row that has a meaning in HTTP/2, with what it says there. */
interface Http2Row {
  name: string;
  row: Case;
  request: Http2Request;
}

/** Whose requests are about how HTTP/1.1 delimits content. */
const OF_HTTP1 = new Set(['chunk-grammar', 'transfer-encoding']);

/** Those rows of a risk that have a meaning in HTTP/2. */
export function http2Rows(risk: string, rows: readonly Case[]): Http2Row[] {
  return rows.flatMap((row) => {
    const request = row.kind === 'request' && OF_HTTP1.has(risk) ? undefined : http2Request(row);
    return request === undefined ? [] : [{ name: row.name, row, request }];
  });
}

/** What a row says in HTTP/2; undefined where it has no meaning there. */
function http2Request(row: Case): Http2Request | undefined {
  const text = row.send ?? PLAIN_GET;
  const reading = readMessage(text, { answers: undefined, ended: false });
  // Several requests are a matter of one connection; what cannot be read is one of bytes.
  if (reading.state !== 'whole' || reading.end !== text.length) return undefined;
  const { message } = reading;
  const [, method = '', target = ''] = /^(\S+) (\S+) HTTP\/1\.1$/.exec(message.line) ?? [];
  if (method === '' || method === 'CONNECT' || !/^[/*]/.test(target)) return undefined;
  if (isOfBytes(message) || OF_A_CONNECTION.some((name) => valuesOf(message.trailers, name).length > 0))
    return undefined;
  if (OF_A_CONNECTION.some((name) => valuesOf(message.fields, name).length > 0) && !onlyAsksForTrailers(message))
    return undefined;
  if (valuesOf(message.fields, 'te').some((each) => each !== 'trailers')) return undefined;
  const hosts = valuesOf(message.fields, 'host');
  // A client of Node puts in the one that is missing.
  if (hosts.length === 0) return undefined;
  const pseudo = [':method', method, ':scheme', 'http', ':path', target];
  if (hosts.length === 1) pseudo.push(':authority', hosts[0] as string);
  const skipped = new Set(['transfer-encoding', 'connection', ...(hosts.length === 1 ? ['host'] : [])]);
  const fields = message.fields.filter(([name]) => !skipped.has(name.toLowerCase()));
  const trailers = message.trailers.length === 0 ? undefined : inTurn(message.trailers);
  return { fields: [...pseudo, ...inTurn(fields)], body: message.body, trailers };
}

/** It is about how HTTP/1.1 delimits content, or about more lengths than HTTP/2 lets anybody say. */
function isOfBytes({ fields, trailers }: Message): boolean {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1 || lengths.some((each) => each.includes(','))) return true;
  const inTrailers = ['content-length', 'transfer-encoding', 'te'].some((name) => valuesOf(trailers, name).length > 0);
  return inTrailers || codings.some((each) => each !== 'chunked');
}

function onlyAsksForTrailers({ fields }: Message): boolean {
  return OF_A_CONNECTION.every((name) =>
    valuesOf(fields, name).every((value) => name === 'connection' && value === 'TE'),
  );
}

function inTurn(fields: readonly [string, string][]): string[] {
  return fields.flatMap(([name, value]) => [name.toLowerCase(), value]);
}

/** What is expected of a row in HTTP/2: the connection stays, whatever comes of one stream; names are in lower case. */
export function inHttp2(row: Case): Case {
  if (row.kind === 'request') return { ...row, then: 'open', ...(row.seen && { seen: row.seen.map(seenInHttp2) }) };
  return { ...row, then: 'open', ...(row.got && { got: gotInHttp2(row.got) }) };
}

function seenInHttp2(seen: Seen): Seen {
  return { ...seen, ...(seen.trailers && { trailers: seen.trailers.map(lowerName) }) };
}

/** How an answer is delimited is no field in HTTP/2. */
function gotInHttp2(got: Got): Got {
  const has = got.has?.filter((field) => !/^(transfer-encoding|connection):/i.test(field));
  return { ...got, ...(has && { has }), ...(got.trailers && { trailers: got.trailers.map(lowerName) }) };
}

function lowerName(field: string): string {
  const colon = field.indexOf(':');
  return field.slice(0, colon).toLowerCase() + field.slice(colon);
}
