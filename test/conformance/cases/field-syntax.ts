import type { Case } from '../harness/case.ts';
import { accept, byteName, GET_SEEN, get, head, POST_SEEN, post, refuse, stricter } from './make.ts';

/** Every control character except HTAB, CR and LF. */
const controls = [...Array.from({ length: 32 }, (_, code) => code).filter((code) => ![9, 10, 13].includes(code)), 127];
/** Bytes that are no tchar, as they may stand in a field name; CR, LF, colon and white space have cases of their own. */
const notInNames = [...'"(),/;<=>?@[\\]{}']
  .map((char) => char.charCodeAt(0))
  .concat([0, 1, 8, 11, 12, 127, 0x80, 0xa0, 0xff]);
const odd = "!#$%&'*+-.^_`|~09azAZ";

const spaced = { ...GET_SEEN, has: ['X: a b'] };

export const fieldSyntax: Case[] = [
  stricter('a bare CR in a value', [20, 'CVE-2023-30589'], get('X: a\rb'), spaced),
  stricter('a bare CR at the end of a value', [20], get('X: a\r'), { ...GET_SEEN, has: ['X: a'] }),
  stricter('a bare CR before a field', [20], get('\rX: a'), GET_SEEN),
  refuse('a bare CR in a name', [20, 26], get('X\rY: a')),
  refuse('lines ended by CR', [20], 'GET /c HTTP/1.1\rHost: a\r\r'.concat('\r\n\r\n')),
  refuse(
    'a head ended by CRLF CR and a letter',
    [20, 'CVE-2025-23167'],
    'POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\rX\r\n\r\nhello',
  ),
  refuse('a field hidden behind CRLF CR', [20, 'CVE-2025-23167'], get('X: y', '\rContent-Length: 5')),
  ...controls.map((code) =>
    stricter(`${byteName(code)} in a value`, [21], get(`X: a${String.fromCharCode(code)}b`), {
      ...GET_SEEN,
      ...(code === 0 ? { has: ['X: a b'] } : {}),
    }),
  ),
  stricter('all lines ended by LF', [22, 'CVE-2022-32214'], 'GET /c HTTP/1.1\nHost: a\n\n', GET_SEEN),
  stricter('the request line ended by LF', [22], 'GET /c HTTP/1.1\nHost: a\r\n\r\n', GET_SEEN),
  stricter('a field ended by LF', [22, 'CVE-2022-35256'], 'GET /c HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', {
    ...GET_SEEN,
    has: ['X: y'],
  }),
  stricter('a head ended by CRLF LF', [22], 'GET /c HTTP/1.1\r\nHost: a\r\n\n', GET_SEEN),
  stricter('a head ended by LF CRLF', [22], 'GET /c HTTP/1.1\r\nHost: a\n\r\n', GET_SEEN),
  refuse(
    'Content-Length and Transfer-Encoding parted by LF',
    [1, 22, 'CVE-2022-32214'],
    post('0\r\n\r\n', 'Content-Length: 5\nTransfer-Encoding: chunked'),
  ),
  refuse('LF CR', [22], 'GET /c HTTP/1.1\n\rHost: a\n\r\n\r'),
  refuse('a space before a colon', [23, 'CVE-2021-22959'], get('X : y')),
  refuse('a tab before a colon', [23], get('X\t: y')),
  refuse('spaces before the colon of Host', [23, 31], head('GET /c HTTP/1.1', 'Host  : a')),
  stricter('a value folded by a space', [24], get('X: a', ' b'), spaced),
  stricter('a value folded by a tab', [24], get('X: a', '\tb'), spaced),
  stricter('a value that begins on the second line', [24], get('X:', ' a b'), spaced),
  stricter('a folded Host', [24, 31], head('GET /c HTTP/1.1', 'Host:', ' a'), GET_SEEN),
  stricter('a fold of white space only', [24], get('X: a', '  '), { ...GET_SEEN, has: ['X: a'] }),
  stricter('a line of white space only before the fields', [25], head('GET /c HTTP/1.1', ' ', 'Host: a'), GET_SEEN),
  stricter(
    'a field behind white space, directly under the request line',
    [25],
    head('GET /c HTTP/1.1', ' X: y', 'Host: a'),
    {
      ...GET_SEEN,
      lacks: ['X'],
    },
  ),
  refuse('Host behind white space, directly under the request line', [25, 31], head('GET /c HTTP/1.1', ' Host: b')),
  refuse('an empty name', [26, 'CVE-2023-25725'], get(': x')),
  refuse('an empty name before Content-Length', [26, 'CVE-2023-25725'], post('hello', ': x', 'Content-Length: 5')),
  refuse('an empty name and an empty value', [26, 'CVE-2023-25725'], get(':')),
  refuse('a line without a colon', [26], get('X')),
  refuse('a line without a colon, with a space', [26], get('X y')),
  refuse('two words before a colon', [26], get('X y: z')),
  refuse('a second request line among the fields', [26], get('GET /evil HTTP/1.1')),
  ...notInNames.map((code) => refuse(`${byteName(code)} in a name`, [26], get(`X${String.fromCharCode(code)}Y: z`))),
  refuse('a UTF-8 letter in a name', [26], get('X-\xc3\xa9: z')),
  accept('a name of every kind of tchar', [26], get(`${odd}: 1`), { ...GET_SEEN, has: [`${odd}: 1`] }),
  accept('a name in odd case stays as it is', [26], get('x-oDD: 1'), { ...GET_SEEN, has: ['x-oDD: 1'] }),
  accept('an empty value', [21], get('X:'), { ...GET_SEEN, has: ['X: '] }),
  accept('no white space before a value', [21], get('X:y'), { ...GET_SEEN, has: ['X: y'] }),
  accept('white space around a value', [21], get('X: \t y \t'), { ...GET_SEEN, has: ['X: y'] }),
  accept('tabs and spaces in a value', [21], get('X: a\tb  c'), { ...GET_SEEN, has: ['X: a\tb  c'] }),
  accept('bytes from 0x80 in a value', [21], get('X: \xc3\xa9 \x80\xff'), {
    ...GET_SEEN,
    has: ['X: \xc3\xa9 \x80\xff'],
  }),
  accept('colons and commas in a value', [21], get('X: a: b, c; d="e"'), { ...GET_SEEN, has: ['X: a: b, c; d="e"'] }),
  accept('several fields of a name, in their order', [21], get('X: 1', 'Y: 2', 'X: 3'), {
    ...GET_SEEN,
    has: ['X: 1', 'Y: 2', 'X: 3'],
  }),
  accept('a body that holds every byte', [21], post(everyByte(), 'Content-Length: 256'), {
    ...POST_SEEN,
    body: everyByte(),
  }),
];

function everyByte(): string {
  return String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
}
