import { expect, test } from 'vitest';
import type { SessionRecord } from '../../src/model/access.ts';
import { sessionFormatterOf } from '../../src/observe/session-format.ts';

const record: SessionRecord = {
  at: Date.UTC(2026, 10, 29, 8, 13, 47, 123),
  id: 'abc-1',
  client: '192.0.2.7',
  clientPort: 4711,
  listener: '127.0.0.1:5432',
  service: 'db',
  serverName: 'db.example.com',
  endpoint: '10.0.0.5:5432',
  bytesIn: 12,
  bytesOut: 345,
  heldMs: 160.4,
  connectMs: 0.3,
  firstByteMs: 2,
  totalMs: 1000,
  retries: 1,
  cold: true,
  ending: 'complete',
  refusal: undefined,
  reason: undefined,
};

const refused: SessionRecord = {
  ...record,
  service: undefined,
  serverName: undefined,
  endpoint: undefined,
  heldMs: 0,
  connectMs: -1,
  firstByteMs: -1,
  ending: 'refused',
  refusal: 'BAD_REQUEST',
  reason: 'no TLS ClientHello',
};

test('a line of JSON has every figure of the session, by the names of those of a request', () => {
  expect(JSON.parse(sessionFormatterOf('json')(record))).toEqual({
    time: '2026-11-29T08:13:47.123Z',
    sessionId: 'abc-1',
    client: '192.0.2.7',
    listener: '127.0.0.1:5432',
    service: 'db',
    endpoint: '10.0.0.5:5432',
    serverName: 'db.example.com',
    bytesIn: 12,
    bytesOut: 345,
    heldMs: 160.4,
    connectMs: 0.3,
    firstByteMs: 2,
    totalMs: 1000,
    retries: 1,
    cold: true,
    ending: 'complete',
  });
  expect(JSON.parse(sessionFormatterOf('json')(refused))).toMatchObject({
    service: null,
    connectMs: -1,
    refusal: 'BAD_REQUEST',
    reason: 'no TLS ClientHello',
  });
});

test('in the formats of web servers it stands where a request would', () => {
  expect(sessionFormatterOf('common')(record)).toBe(
    '192.0.2.7 - - [29/Nov/2026:08:13:47 +0000] "TCP db.example.com" - 345',
  );
  expect(sessionFormatterOf('combined')(refused)).toBe(
    '192.0.2.7 - - [29/Nov/2026:08:13:47 +0000] "TCP -" - 345 "no TLS ClientHello" "-" "-"',
  );
});

test.each<[Partial<SessionRecord>, string]>([
  [{}, '--'],
  [{ ending: 'client-left' }, 'CD'],
  [{ ending: 'client-left', connectMs: -1 }, 'CQ'],
  [{ ending: 'upstream-broke' }, 'SD'],
  [{ ending: 'retired' }, 'KD'],
  [{ ending: 'silent' }, 'sD'],
  [{ ending: 'refused', refusal: 'CONNECT_REFUSED' }, 'SC'],
  [{ ending: 'refused', refusal: 'CONNECT_TIMEOUT' }, 'sC'],
  [{ ending: 'refused', refusal: 'HOLD_TIMEOUT' }, 'sQ'],
  [{ ending: 'refused', refusal: 'HOLD_FULL', heldMs: 0 }, 'PR'],
])('in the order of HAProxy’s tcplog, %o ends with %s', (change, state) => {
  expect(sessionFormatterOf('httplog')({ ...record, ...change })).toBe(
    `192.0.2.7:4711 [29/Nov/2026:08:13:47.123] 127.0.0.1:5432 db/10.0.0.5:5432 ${change.heldMs ?? 160}/` +
      `${change.connectMs ?? 0}/1000 345 ${state} 0/0/0/0/1 0/0`,
  );
});
