import type { Case } from '../harness/case.ts';
import { byteName, reject, rejectMay, relay, relayMay } from './make.ts';

const withLine = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nok`;
const withField = (field: string): string => `HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: 2\r\n\r\nok`;
const ok = { status: 200, body: 'ok' };

export const responseSyntax: Case[] = [
  relay('a reason phrase', [30], withLine('HTTP/1.1 200 All is well'), ok),
  relay('an empty reason phrase', [30], withLine('HTTP/1.1 200 '), ok),
  relay('bytes from 0x80 in a reason phrase', [30], withLine('HTTP/1.1 200 d\xc3\xa9j\xc3\xa0'), ok),
  relayMay('no space behind the status', [30], withLine('HTTP/1.1 200'), ok),
  relay('an unusual status', [30], withLine('HTTP/1.1 299 Odd'), { ...ok, status: 299 }),
  relay('an error of the origin', [30], withLine('HTTP/1.1 503 Busy'), { ...ok, status: 503 }),
  relayMay('HTTP/1.2', [29], withLine('HTTP/1.2 200 OK'), ok),
  ...[
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 600 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 2x0 OK',
  ].map((line) => reject(`status line ${line}`, [30], withLine(line))),
  ...[
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'http/1.1 200 OK',
    'HTTP/1 200 OK',
    'HTTP/1.10 200 OK',
    'ICY 200 OK',
    'HTTP/1.1',
    '200 OK',
    ' HTTP/1.1 200 OK',
  ].map((line) => reject(`status line ${line}`, [29, 30], withLine(line))),
  reject('no status line at all', [29], 'hello\r\n\r\n', { after: 'close' }),
  reject('an empty line before the status line', [28], `\r\n${withLine('HTTP/1.1 200 OK')}`),
  rejectMay('NUL in a reason phrase', [21], withLine('HTTP/1.1 200 O\x00K'), ok),
  rejectMay('a bare CR in a reason phrase', [20], withLine('HTTP/1.1 200 O\rK'), ok),

  relay('white space before a colon is removed', [23], withField('X : y'), { ...ok, has: ['X: y'] }),
  relay('a tab before a colon is removed', [23], withField('X\t: y'), { ...ok, has: ['X: y'] }),
  relay(
    'white space before the colon of Content-Length is removed',
    [23],
    'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok',
    { ...ok, has: ['Content-Length: 2'] },
  ),
  relay(
    'white space before the colon of Transfer-Encoding is removed',
    [23],
    'HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    { ...ok, has: ['Transfer-Encoding: chunked'] },
  ),
  rejectMay('a folded value', [24], withField('X: a\r\n b'), { ...ok, has: ['X: a b'] }),
  rejectMay('a value folded by a tab', [24], withField('X: a\r\n\tb'), { ...ok, has: ['X: a b'] }),
  rejectMay('a field behind white space, directly under the status line', [25], withField(' X: y'), {
    ...ok,
    lacks: ['X'],
  }),
  rejectMay('NUL in a value', [21], withField('X: a\x00b'), { ...ok, has: ['X: a b'] }),
  rejectMay('a bare CR in a value', [20], withField('X: a\rb'), { ...ok, has: ['X: a b'] }),
  ...[1, 8, 11, 12, 27, 127].map((code) =>
    rejectMay(`${byteName(code)} in a value`, [21], withField(`X: a${String.fromCharCode(code)}b`), ok),
  ),
  rejectMay('lines ended by LF', [22], 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', ok),
  rejectMay('a field ended by LF', [22], withField('X: y\nZ: 1'), { ...ok, has: ['X: y', 'Z: 1'] }),
  rejectMay('a head ended by CRLF LF', [22], 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok', ok),
  reject('an empty name', [26], withField(': y')),
  reject('a line without a colon', [26], withField('X')),
  reject('a space in a name', [26], withField('X Y: z')),
  reject('NUL in a name', [26], withField('X\x00: z')),
  reject('a UTF-8 letter in a name', [26], withField('X\xc3\xa9: z')),
  relay('bytes from 0x80 in a value', [21], withField('X: \xc3\xa9\xff'), { ...ok, has: ['X: \xc3\xa9\xff'] }),
  relay('an empty value', [21], withField('X:'), { ...ok, has: ['X: '] }),
  relay('several fields of a name, in their order', [21], withField('Set-Cookie: a=1\r\nSet-Cookie: b=2'), {
    ...ok,
    has: ['Set-Cookie: a=1', 'Set-Cookie: b=2'],
  }),
  relay('a name in odd case stays as it is', [26], withField('x-oDD: 1'), { ...ok, has: ['x-oDD: 1'] }),
  rejectMay('a head of 70 KiB', [51], withField(`X: ${'a'.repeat(70 * 1024)}`), ok),
  rejectMay('300 fields', [51], withField(Array.from({ length: 300 }, (_, index) => `X-${index}: 1`).join('\r\n')), ok),
  relay('200 fields', [51], withField(Array.from({ length: 200 }, (_, index) => `X-${index}: 1`).join('\r\n')), {
    ...ok,
    has: ['X-0: 1', 'X-199: 1'],
  }),
];
