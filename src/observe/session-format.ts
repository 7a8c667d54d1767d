import type { SessionRecord } from '../model/access.ts';
import { hostPort } from '../util/host-port.ts';
import { type AccessFormat, haproxyTime, isoTime, ncsaTime, tenths, textOrNull, wordOrNull } from './access-format.ts';

/** The function that makes lines of TCP sessions in a format: ASCII, without line end. */
export function sessionFormatterOf(format: AccessFormat): (record: SessionRecord) => string {
  switch (format) {
    case 'json':
      return toJson;
    case 'common':
      return toCommon;
    case 'combined':
      return (record) => `${toCommon(record)} "-" "-"`;
    case 'httplog':
      return toTcplog;
  }
}

/** The fields of a request where they mean the same, by the same names. */
function toJson(record: SessionRecord): string {
  const { refusal, reason } = record;
  const broken =
    refusal === undefined ? '' : `,"refusal":${wordOrNull(refusal)},"reason":${wordOrNull(reason ?? refusal)}`;
  return (
    `{"time":"${isoTime(record.at)}","sessionId":"${record.id}","client":${textOrNull(record.client)},` +
    `"listener":${textOrNull(record.listener)},"service":${textOrNull(record.service)},` +
    `"endpoint":${wordOrNull(record.endpoint)},"serverName":${textOrNull(record.serverName)},` +
    `"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut},"heldMs":${tenths(record.heldMs)},` +
    `"connectMs":${tenths(record.connectMs)},"firstByteMs":${tenths(record.firstByteMs)},` +
    `"totalMs":${tenths(record.totalMs)},"retries":${record.retries},"cold":${record.cold},` +
    `"ending":"${record.ending}"${broken}}`
  );
}

/** In place of the request: `TCP` and what the session was directed to. It has no status. */
function toCommon(record: SessionRecord): string {
  const { client, at, serverName, service, bytesOut, refusal, reason = refusal } = record;
  const broken = reason === undefined ? '' : ` "${reason}"`;
  return `${client} - - [${ncsaTime(at)}] "TCP ${serverName ?? service ?? '-'}" - ${bytesOut}${broken}`;
}

/**
 * The order of fields of HAProxy's `option tcplog`: client, date, frontend, backend/server, Tw/Tc/Tt, bytes, termination
 * state, connection counts, queues.
 */
function toTcplog(record: SessionRecord): string {
  const times = [record.heldMs, record.connectMs, record.totalMs].map((ms) => (ms < 0 ? -1 : Math.round(ms))).join('/');
  return (
    `${hostPort({ host: record.client, port: record.clientPort })} [${haproxyTime(record.at)}] ${record.listener} ` +
    `${record.service ?? '<NOSRV>'}/${record.endpoint ?? '<NOSRV>'} ${times} ${record.bytesOut} ` +
    `${termination(record)} 0/0/0/0/${record.retries} 0/0`
  );
}

/** HAProxy's termination state of TCP: who ended it, and in which phase. */
function termination({ ending, refusal, connectMs, heldMs }: SessionRecord): string {
  switch (ending) {
    case 'complete':
      return '--';
    case 'client-left':
      return connectMs < 0 ? 'CQ' : 'CD';
    case 'upstream-broke':
      return 'SD';
    case 'retired':
      return 'KD';
    case 'silent':
      return 'sD';
    case 'refused':
      if (refusal === 'CONNECT_REFUSED') return 'SC';
      if (refusal === 'CONNECT_TIMEOUT') return 'sC';
      return heldMs > 0 ? 'sQ' : 'PR';
  }
}
