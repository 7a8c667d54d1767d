import type { AccessRecord } from '../model/access.ts';

/** How lines of the access log look. */
export type AccessFormat = 'json' | 'common' | 'combined' | 'httplog';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Query parameters whose values are nobody's business: matched by name, whole or as the end of a compound one. */
const SECRET_PARAMETER =
  /([?&;][^=&;#]*(?:token|secret|password|passwd|pwd|api[-_]?key|access[-_]?key|signature|sig|auth|code|session|jwt)=)[^&;#]*/gi;

/** A target or Referer without the values of parameters that look like secrets. */
export function redactQuery(target: string): string {
  return target.includes('?') ? target.replace(SECRET_PARAMETER, '$1***') : target;
}

/** The function that makes lines (without line end) of a format. */
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

function toJson(record: AccessRecord): string {
  return JSON.stringify({
    time: new Date(record.at).toISOString(),
    requestId: record.requestId,
    client: record.client,
    service: record.service ?? null,
    endpoint: record.endpoint ?? null,
    method: record.method,
    host: record.host,
    target: redactQuery(record.target),
    version: record.version,
    status: record.status,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    queueMs: rounded(record.queueMs),
    connectMs: rounded(record.connectMs),
    firstByteMs: rounded(record.firstByteMs),
    totalMs: rounded(record.totalMs),
    retries: record.retries,
    cold: record.cold,
    ending: record.ending,
    referer: record.referer === undefined ? null : redactQuery(record.referer),
    userAgent: record.userAgent ?? null,
  });
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** NCSA common log format. */
function toCommon(record: AccessRecord): string {
  const request = quoted(`${record.method} ${redactQuery(record.target)} HTTP/${record.version}`);
  return `${record.client} - - [${ncsaTime(record.at)}] ${request} ${record.status} ${record.bytesOut}`;
}

function toCombined(record: AccessRecord): string {
  const referer = record.referer === undefined ? '"-"' : quoted(redactQuery(record.referer));
  const agent = record.userAgent === undefined ? '"-"' : quoted(record.userAgent);
  return `${toCommon(record)} ${referer} ${agent}`;
}

/**
 * The order of fields of HAProxy's `option httplog`, so that its parsers go on: client, date, frontend, backend/server,
 * TR/Tw/Tc/Tr/Ta, status, bytes, cookies, termination state, connection counts, queues, request.
 */
function toHttplog(record: AccessRecord): string {
  const server = record.endpoint ?? '<NOSRV>';
  const times = [0, record.queueMs, record.connectMs, record.firstByteMs, record.totalMs].map(wholeMs).join('/');
  const retries = record.retries;
  return (
    `${record.client}:${record.clientPort} [${haproxyTime(record.at)}] ${record.listener} ` +
    `${record.service ?? '<NOSRV>'}/${server} ${times} ${record.status} ${record.bytesOut} - - ` +
    `${termination(record)} 0/0/0/0/${retries} 0/0 ` +
    quoted(`${record.method} ${redactQuery(record.target)} HTTP/${record.version}`)
  );
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
function ncsaTime(at: number): string {
  return `${haproxyTime(at).slice(0, -4)} +0000`;
}

/** 23/Nov/2026:08:13:47.123 */
function haproxyTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const ms = String(date.getUTCMilliseconds()).padStart(3, '0');
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${time}.${ms}`;
}
