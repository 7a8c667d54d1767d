import type { Case } from '../harness/case.ts';
import { reject, relay, truncate } from './make.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ok = { status: 200, body: 'ok' };
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
const old = { send: 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n', then: 'closed' } as const;
const upgrade = { send: 'GET /case HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n' };

export const interimResponses: Case[] = [
  relay('100 before the answer', [44], `HTTP/1.1 100 Continue\r\n\r\n${OK}`, { ...ok, interim: [100] }),
  relay('102 before the answer', [44], `HTTP/1.1 102 Processing\r\n\r\n${OK}`, { ...ok, interim: [102] }),
  relay('103 before the answer', [44], HINTS + OK, { ...ok, interim: [103] }),
  relay('an unknown interim answer', [44], `HTTP/1.1 199 Odd\r\n\r\n${OK}`, { ...ok, interim: [199] }),
  relay('twenty of them', [44], HINTS.repeat(20) + OK, { ...ok, interim: Array.from({ length: 20 }, () => 103) }),
  relay('several kinds of them', [44], `HTTP/1.1 100 Continue\r\n\r\n${HINTS}HTTP/1.1 102 Processing\r\n\r\n${OK}`, {
    ...ok,
    interim: [100, 103, 102],
  }),
  relay(
    'none of them to a client of HTTP/1.0',
    [43, 44],
    `HTTP/1.1 100 Continue\r\n\r\n${HINTS}${OK}`,
    { ...ok, interim: [] },
    old,
  ),
  relay(
    'one with Content-Length has no body',
    [18, 44],
    `HTTP/1.1 103 Early Hints\r\nContent-Length: ${OK.length}\r\n\r\n${OK}`,
    { ...ok, interim: [103] },
  ),
  relay(
    'one with Transfer-Encoding has no body',
    [18, 44],
    `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${OK}`,
    { ...ok, interim: [103] },
  ),
  relay(
    'hop-by-hop fields of one are removed',
    [37, 44],
    `HTTP/1.1 103 Early Hints\r\nConnection: X-A, close\r\nX-A: 1\r\nKeep-Alive: x\r\n\r\n${OK}`,
    { ...ok, interim: [103] },
  ),
  reject('a broken one behind a good one', [44], `${HINTS}HTTP/1.1 103 Early Hints\r\nX Y: z\r\n\r\n${OK}`),
  reject('a broken one', [44], `HTTP/1.1 103 Early Hints\r\nX Y: z\r\n\r\n${OK}`),
  reject(
    '101 that nobody asked for',
    [41],
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n${OK}`,
  ),
  reject('101 without Upgrade', [41], 'HTTP/1.1 101 Switching Protocols\r\n\r\n', upgrade),
  reject(
    '101 to another protocol than was asked for',
    [41],
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bar\r\n\r\n',
    upgrade,
  ),
  reject(
    '101 to a client of HTTP/1.0',
    [41, 43],
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n',
    {
      send: 'GET /case HTTP/1.0\r\nHost: a\r\nConnection: upgrade, keep-alive\r\nUpgrade: foo\r\n\r\n',
    },
  ),
  truncate(
    'an answer that breaks off behind one',
    [17, 44],
    `${HINTS}HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok`,
    { ...ok, interim: [103] },
    { after: 'close' },
  ),
];
