import type { Case, Seen } from '../harness/case.ts';
import { accept, byteName, GET_SEEN, get, head, lenient, NEXT, NEXT_SEEN, refuse, stricter } from './make.ts';

const line = (start: string): string => head(start, 'Host: a');
const method = (name: string): Seen => ({ method: name, target: '/c', host: 'a' });
const tchars = "!#$%&'*+-.^_`|~09azAZ";
const notInMethods = [...'"(),/:;<=>?@[\\]{}'].map((char) => char.charCodeAt(0)).concat([0, 1, 127, 0x80, 0xff]);

export const requestLine: Case[] = [
  ...[
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'PROPFIND',
    'M-SEARCH',
    'QUERY',
    'FOO',
    'get',
    'Get',
    'X',
    'a'.repeat(40),
  ].map((name) => accept(`method ${name}`, [27], line(`${name} /c HTTP/1.1`), method(name))),
  accept('a method of every kind of tchar', [27], line(`${tchars} /c HTTP/1.1`), method(tchars)),
  accept('HEAD', [18, 27], line('HEAD /c HTTP/1.1'), method('HEAD')),
  ...notInMethods.map((code) =>
    refuse(`${byteName(code)} in a method`, [27], line(`GE${String.fromCharCode(code)}T /c HTTP/1.1`)),
  ),
  refuse('no method', [27], line(' /c HTTP/1.1')),

  accept('an empty line before the request', [28], `\r\n${get()}`, GET_SEEN),
  accept('an empty line between two requests', [28, 48], `${get()}\r\n${NEXT}`, [GET_SEEN, NEXT_SEEN]),
  stricter('two empty lines before the request', [28], `\r\n\r\n${get()}`, GET_SEEN),
  stricter('LF before the request', [22, 28], `\n${get()}`, GET_SEEN),
  refuse('CR before the request', [20, 28], `\r${get()}`),
  stricter('white space before the request', [28], ` ${get()}`, GET_SEEN),

  accept('HTTP/1.2 is served as 1.1', [29, 30], line('GET /c HTTP/1.2'), GET_SEEN),
  accept('HTTP/1.9 is served as 1.1', [29, 30], line('GET /c HTTP/1.9'), GET_SEEN),
  accept('HTTP/1.0 goes on as 1.1 and is closed', [29, 30, 49], line('GET /c HTTP/1.0'), GET_SEEN, { then: 'closed' }),
  accept(
    'HTTP/1.0 without Host',
    [29, 31],
    head('GET /c HTTP/1.0'),
    { method: 'GET', target: '/c' },
    { then: 'closed' },
  ),
  refuse('HTTP/2.0', [29], line('GET /c HTTP/2.0'), 505),
  refuse('HTTP/3.0', [29], line('GET /c HTTP/3.0'), 505),
  refuse('the preface of HTTP/2', [29, 'h2'], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505),
  refuse('HTTP/0.9 by name', [29], line('GET /c HTTP/0.9')),
  refuse('a request line without a version, and an empty line', [29], 'GET /c\r\n\r\n'),
  refuse('a request line without a version, and fields', [29], head('GET /c', 'Host: a')),
  ...[
    'http/1.1',
    'Http/1.1',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/.1',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1.01',
    'HTTP/1,1',
    'HTTP/1.1.1',
    'HTTP/1.x',
    'HTTP/+1.1',
    'HTTP/1.1x',
    'HTTPS/1.1',
    'HTTP 1.1',
    'HTTP\\1.1',
    'HTTP/1.\xb9',
    'XTTP/1.1',
  ].map((version) => refuse(`version ${JSON.stringify(version)}`, [29], line(`GET /c ${version}`))),

  stricter('two spaces behind the method', [35], line('GET  /c HTTP/1.1'), GET_SEEN),
  stricter('two spaces before the version', [35], line('GET /c  HTTP/1.1'), GET_SEEN),
  stricter('a space behind the version', [29], line('GET /c HTTP/1.1 '), GET_SEEN),
  stricter('tabs instead of spaces', [35], line('GET\t/c\tHTTP/1.1'), GET_SEEN),
  stricter('a vertical tab behind the method', [35], line('GET\x0b/c HTTP/1.1'), GET_SEEN),
  refuse('no target', [35], line('GET HTTP/1.1')),
  refuse('an empty target', [35], line('GET  HTTP/1.1')),
  refuse('a space in the target', [35], line('GET /a b HTTP/1.1')),
  refuse('a whole second request in the line', [35], line('GET /c HTTP/1.1 GET /d HTTP/1.1')),

  lenient('CONNECT in small letters is some method', [27, 34], line('connect /c HTTP/1.1'), method('connect')),
  refuse('CONNECT to an authority', [19, 34], head('CONNECT a:443 HTTP/1.1', 'Host: a:443'), 405),
  refuse('CONNECT to a path', [19, 34], line('CONNECT /c HTTP/1.1'), 405),
  stricter('TRACE', [40], line('TRACE /c HTTP/1.1'), method('TRACE'), 405),
  stricter(
    'TRACE with Max-Forwards',
    [40],
    head('TRACE /c HTTP/1.1', 'Host: a', 'Max-Forwards: 1'),
    method('TRACE'),
    405,
  ),
];
