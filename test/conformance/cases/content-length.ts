import type { Case } from '../harness/case.ts';
import { accept, GET_SEEN, get, head, lenient, NEXT, NEXT_SEEN, POST_SEEN, post, refuse } from './make.ts';

/** A POST of `hello` whose Content-Length fields have these values. */
const lengths = (...values: string[]): string => post('hello', ...values.map((value) => `Content-Length: ${value}`));
const seen = { ...POST_SEEN, has: ['Content-Length: 5'] };

const notNumbers: [name: string, value: string][] = [
  ['+5', '+5'],
  ['-5', '-5'],
  ['-0', '-0'],
  ['0x5', '0x5'],
  ['5.0', '5.0'],
  ['1_0', '1_0'],
  ['5e0', '5e0'],
  ['empty', ''],
  ['5 followed by a comma', '5,'],
  ['5 after a comma', ',5'],
  ['two numbers with a space', '5 5'],
  ['5;', '5;'],
  ['5a', '5a'],
  ['a word', 'five'],
  ['5 in quotes', '"5"'],
  ['5 after a vertical tab', '\x0b5'],
  ['5 before a form feed', '5\x0c'],
  ['5 before a no-break space', '5\xa0'],
  ['fullwidth 5', '\xef\xbc\x95'],
  ['5 twice, parted by a comma and a no-break space', '5,\xa05'],
  ['5 twice, parted by a comma and a vertical tab', '5,\x0b5'],
  ['2^64 + 5', '18446744073709551621'],
  ['2^63', '9223372036854775808'],
  ['2^53 + 5', '9007199254740997'],
  ['thirty digits', '100000000000000000000000000005'],
];

export const contentLength: Case[] = [
  ...notNumbers.map(([name, value]) => refuse(`Content-Length is not a number: ${name}`, [3], lengths(value))),
  refuse('two Content-Length fields, 5 and 6', [2], lengths('5', '6')),
  refuse('two Content-Length fields, 6 and 5', [2], lengths('6', '5')),
  refuse('two Content-Length fields, 5 and 0', [2], lengths('5', '0')),
  refuse('Content-Length lists 5, 6', [2], lengths('5, 6')),
  refuse('Content-Length lists 5, 5, 6', [2], lengths('5, 5, 6')),
  refuse('an empty Content-Length before a good one', [2, 'CVE-2023-40225'], lengths('', '5')),
  refuse('an empty Content-Length after a good one', [2, 'CVE-2023-40225'], lengths('5', '')),
  refuse('a bad Content-Length after a good one', [2], lengths('5', '+5')),
  refuse(
    'two Content-Length fields that differ in number and case of letters',
    [2, 'CVE-2026-1525'],
    post('hello', 'Content-Length: 5', 'content-length: 6'),
  ),
  lenient('two equal Content-Length fields become one', [2], lengths('5', '5'), seen),
  lenient('a list of equal numbers becomes one', [2], lengths('5, 5,5'), seen),
  lenient(
    'Content-Length twice, in odd case, becomes one',
    [2, 'CVE-2026-1525'],
    post('hello', 'CONTENT-length: 5', 'content-LENGTH: 5'),
    seen,
  ),
  accept('leading zeros are forwarded as the plain number', [3], lengths('005'), seen),
  accept('white space around the number', [3], post('hello', 'Content-Length: \t 5 \t'), seen),
  accept('Content-Length in odd case', [3], post('hello', 'cOnTeNt-LeNgTh: 5'), POST_SEEN),
  accept('Content-Length 0 on a POST', [3], post('', 'Content-Length: 0'), { ...POST_SEEN, body: '' }),
  accept('a body on a GET', [3], `${get('Content-Length: 5')}hello`, { ...GET_SEEN, body: 'hello' }),
  accept('content that looks like a request stays content', [3], post(NEXT, `Content-Length: ${NEXT.length}`), {
    ...POST_SEEN,
    body: NEXT,
  }),
  accept(
    'without Content-Length and Transfer-Encoding there is no body: the next bytes are a request',
    [13],
    head('POST /c HTTP/1.1', 'Host: a') + NEXT,
    [{ ...POST_SEEN, body: '' }, NEXT_SEEN],
  ),
  accept('a request behind a body', [13, 48], lengths('5') + NEXT, [seen, NEXT_SEEN]),
  accept('a request behind Content-Length 0', [13, 48], post('', 'Content-Length: 0') + NEXT, [
    { ...POST_SEEN, body: '' },
    NEXT_SEEN,
  ]),
  refuse('white space before the colon of Content-Length', [23, 'CVE-2024-27982'], post('hello', 'Content-Length : 5')),
  refuse('white space before Content-Length', [25, 'CVE-2024-27982'], post('hello', 'X: y', ' Content-Length: 5')),
  accept(
    'a name of 270 characters that begins with Content-Length hides nothing',
    ['CVE-2021-40346'],
    post('hello', `Content-Length0${'a'.repeat(255)}: 0`, 'Content-Length: 5'),
    { ...seen, has: [`Content-Length0${'a'.repeat(255)}: 0`, 'Content-Length: 5'] },
  ),
  accept(
    'Content-Length that Connection names frames the message all the same',
    [37],
    post('hello', 'Connection: content-length', 'Content-Length: 5'),
    seen,
  ),
  accept('Content_Length does not frame anything', [42], get('Content_Length: 5'), GET_SEEN, {
    ours: { lacks: ['content_length'] },
  }),
];
