import type { AccessRecord } from '../model/access.ts';
import { hostPort } from '../util/host-port.ts';

/** How lines of the access log look. */
export type AccessFormat = 'json' | 'common' | 'combined' | 'httplog';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Query parameters whose values are nobody's business, by the end of their names; short ones end a compound only behind a
 * mark, so that a `monkey` is shown. It looks at no name from its beginning, and so takes time by the length alone: what
 * is written there is a client's choice.
 */
const SECRET_PARAMETER =
  /(token|secret|password|passwd|pwd|api[-_]?key|access[-_]?key|credentials?|signature|sig|auth|code|session|jwt|(?<=[?&;_.-])(?:key|pass|pw))=[^&;#]*/gi;

/** A target or Referer without the values of parameters that look like secrets. */
export function redactQuery(target: string): string {
  const query = target.indexOf('?');
  if (query < 0 || target.indexOf('=', query) < 0) return target;
  return target.slice(0, query) + target.slice(query).replace(SECRET_PARAMETER, '$1=***');
}

/** The function that makes lines of a format: ASCII, without line end. */
export function formatterOf(format: AccessFormat): (record: AccessRecord) => string {
  switch (format) {
    case 'json':
      return toJson;
    case 'common':
      return toCommon;
    case 'combined':
      return toCombined;
    case 'httplog':
      return toHttplog;
  }
}

/** By concatenation: a third of what JSON.stringify takes. Numbers and our own words need no escaping. */
function toJson(record: AccessRecord): string {
  return (
    `{"time":"${isoTime(record.at)}","requestId":"${record.requestId}",${subjectOf(record)},` +
    `"target":${textOrNull(redactQuery(record.target))},"version":"${record.version}","status":${record.status},` +
    `"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut},` +
    `"queueMs":${tenths(record.queueMs)},"connectMs":${tenths(record.connectMs)},` +
    `"firstByteMs":${tenths(record.firstByteMs)},"totalMs":${tenths(record.totalMs)},` +
    `"retries":${record.retries},"cold":${record.cold},"ending":"${record.ending}",` +
    `"referer":${textOrNull(record.referer && redactQuery(record.referer))},` +
    `"userAgent":${textOrNull(record.userAgent)}${encodingOf(record)}${tlsOf(record)}${faultOf(record)}}`
  );
}

/** Of an answer that was compressed here alone. */
function encodingOf({ encoding }: AccessRecord): string {
  return encoding === undefined ? '' : `,"encoding":"${encoding}"`;
}

/** Of a connection with TLS alone; what is not the client's subject are words of OpenSSL's. */
function tlsOf({ tls }: AccessRecord): string {
  if (tls === undefined) return '';
  const client = tls.client === undefined ? '' : `,"clientSubject":${textOrNull(tls.client.subject)}`;
  return `,"tls":"${tls.version}","cipher":"${tls.cipher}"${client}`;
}

/** Of a refused request, or a bad answer: what it breaks. These words are ours. */
function faultOf({ refusal, reason }: AccessRecord): string {
  if (refusal === undefined && reason === undefined) return '';
  return `,"refusal":${wordOrNull(refusal)},"reason":${wordOrNull(reason ?? refusal)}`;
}

/** What `subject` was made of. */
let subjectFor: Pick<AccessRecord, 'client' | 'service' | 'endpoint' | 'method' | 'host'> | undefined;
let subject = '';

/** Who asked whom: often as in the line before, and then a sixth of a line's time is spared. */
function subjectOf(record: AccessRecord): string {
  const { client, service, endpoint, method, host } = record;
  if (
    subjectFor === undefined ||
    subjectFor.client !== client ||
    subjectFor.host !== host ||
    subjectFor.endpoint !== endpoint ||
    subjectFor.service !== service ||
    subjectFor.method !== method
  ) {
    subjectFor = { client, service, endpoint, method, host };
    // Joined, it is one piece in the lines that it goes into.
    subject = [
      `"client":${textOrNull(client)},"service":${textOrNull(service)},"endpoint":${wordOrNull(endpoint)},`,
      `"method":${textOrNull(method)},"host":${textOrNull(host)}`,
    ].join('');
  }
  return subject;
}

/** Printable ASCII without quotes and backslashes: what JSON takes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A text as JSON writes it, in ASCII. */
export function textOrNull(text: string | undefined): string {
  if (text === undefined) return 'null';
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text).replace(/[^ -~]/g, unicodeOf);
}

function unicodeOf(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A word of ours, which needs no escaping. */
export function wordOrNull(word: string | undefined): string {
  return word === undefined ? 'null' : `"${word}"`;
}

let isoSecond = Number.NaN;
let isoPrefix = '';

/** 2026-11-23T08:13:47.123Z; all but the milliseconds is made once a second. */
export function isoTime(at: number): string {
  const ms = Math.floor(at);
  const second = Math.floor(ms / 1000);
  if (second !== isoSecond) {
    isoSecond = second;
    isoPrefix = new Date(second * 1000).toISOString().slice(0, -4);
  }
  return `${isoPrefix}${String(ms - second * 1000).padStart(3, '0')}Z`;
}

/** Texts of short times, made when they first occur. */
const SHORT_TIMES: string[] = [];
const MAX_SHORT = 1000;

/** Milliseconds to one digit, by whole numbers: the digits of a fraction take V8 three times as long. */
export function tenths(ms: number): string {
  if (ms < 0) return '-1';
  const count = Math.round(ms * 10);
  if (count >= MAX_SHORT) return tenthsOf(count);
  SHORT_TIMES[count] ??= tenthsOf(count);
  return SHORT_TIMES[count];
}

function tenthsOf(count: number): string {
  const last = count % 10;
  return last === 0 ? `${count / 10}` : `${(count - last) / 10}.${last}`;
}

/** The same in a format that has no place for it, behind what the format has; the other lines stay as its readers know them. */
function quotedFault({ refusal, reason = refusal }: AccessRecord): string {
  return reason === undefined ? '' : ` "${reason}"`;
}

/** NCSA common log format. Its bytes are those of the body; HAProxy counts the head, too. */
function toCommon(record: AccessRecord): string {
  return commonFields(record) + quotedFault(record);
}

function commonFields(record: AccessRecord): string {
  const bytes = record.bytesOut - record.headOut;
  return `${record.client} - - [${ncsaTime(record.at)}] ${requestLine(record, '-')} ${record.status} ${bytes}`;
}

function toCombined(record: AccessRecord): string {
  const referer = record.referer === undefined ? '"-"' : quoted(redactQuery(record.referer));
  const agent = record.userAgent === undefined ? '"-"' : quoted(record.userAgent);
  return `${commonFields(record)} ${referer} ${agent}${quotedFault(record)}`;
}

/**
 * The order of fields of HAProxy's `option httplog`, so that its parsers go on: client, date, frontend, backend/server,
 * TR/Tw/Tc/Tr/Ta, status, bytes, cookies, termination state, connection counts, queues, request. What a refused request
 * breaks stands where captured fields do, without blanks.
 */
function toHttplog(record: AccessRecord): string {
  const server = record.endpoint ?? '<NOSRV>';
  const times = [0, record.queueMs, record.connectMs, record.firstByteMs, record.totalMs].map(wholeMs).join('/');
  const retries = record.retries;
  return (
    `${hostPort({ host: record.client, port: record.clientPort })} [${haproxyTime(record.at)}] ${record.listener} ` +
    `${record.service ?? '<NOSRV>'}/${server} ${times} ${record.status} ${record.bytesOut} - - ` +
    `${termination(record)} 0/0/0/0/${retries} 0/0 ${capturedFault(record)}` +
    requestLine(record, '<BADREQ>')
  );
}

function capturedFault({ refusal, reason = refusal }: AccessRecord): string {
  return reason === undefined ? '' : `{${reason.replaceAll(' ', '-')}} `;
}

function requestLine({ method, target, version }: AccessRecord, unreadable: string): string {
  return quoted(method === '' ? unreadable : `${method} ${redactQuery(target)} HTTP/${version}`);
}

function wholeMs(ms: number): number {
  return ms < 0 ? -1 : Math.round(ms);
}

/** First two characters of HAProxy's termination state: who ended it, and in which phase. */
function termination(record: AccessRecord): string {
  switch (record.ending) {
    case 'complete':
      return '----';
    case 'client-left':
      return record.firstByteMs < 0 ? 'CH--' : 'CD--';
    case 'upstream-broke':
      return record.firstByteMs < 0 ? 'SH--' : 'SD--';
    case 'client-stalled':
      return record.firstByteMs < 0 ? 'cH--' : 'cD--';
    case 'retired':
      return record.firstByteMs < 0 ? 'KH--' : 'KD--';
    case 'silent':
      return 'sD--';
    case 'refused':
      return record.endpoint === undefined ? 'PR--' : 'SH--';
  }
}

/** A quoted field: quotes, backslashes and everything that is not printable ASCII escaped, so that a line stays one. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]|[^ -~]/g, (char) => (char === '"' || char === '\\' ? `\\${char}` : hexOf(char)))}"`;
}

function hexOf(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** 23/Nov/2026:08:13:47 +0000 */
export function ncsaTime(at: number): string {
  return `${haproxyTime(at).slice(0, -4)} +0000`;
}

/** 23/Nov/2026:08:13:47.123 */
export function haproxyTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const ms = String(date.getUTCMilliseconds()).padStart(3, '0');
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time}.${ms}`;
}
