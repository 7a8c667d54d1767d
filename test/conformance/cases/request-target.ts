import type { Case, Seen } from '../harness/case.ts';
import { accept, byteName, head, lenient, refuse, stricter } from './make.ts';

const to = (target: string, method = 'GET'): string => head(`${method} ${target} HTTP/1.1`, 'Host: a');
const same = (target: string): Seen => ({ method: 'GET', target, host: 'a' });

const untouched = [
  '/',
  '/?',
  '/??a=b?c',
  '//',
  '//c//d',
  '/c/./d',
  '/c/../d',
  '/../../etc/passwd',
  '/c/%2e%2e/d',
  '/c%2fd',
  '/c%2Fd%5c',
  '/c?d%00e',
  '/c%0d%0aX:%20y',
  '/c%23d',
  '/c;d=e',
  "/c+d~e!$&'()*,;=:@f",
  '/c?x=http://b/#'.slice(0, -1),
  '/c?a=%zz',
  '/%',
  '/%c',
  '/c:80',
  '/http://b/',
  '/*',
  '/api../admin',
];
/** Not allowed in a URI, but browsers and others send them. */
const unwise = ['/c|d', '/c{d}', '/c"d', '/c<d>', '/c\\d', '/c^d', '/c`d', '/c[d]', '/c?d={"e":[1]}'];
const never = [0, 1, 8, 11, 12, 13, 27, 127, 0x80, 0x9f, 0xa0, 0xe9, 0xff];

export const requestTarget: Case[] = [
  ...untouched.map((target) => accept(`target ${target} is passed on byte for byte`, [36], to(target), same(target))),
  ...unwise.map((target) => lenient(`target ${target} is passed on byte for byte`, [36], to(target), same(target))),
  accept('a target of 8 KiB', [51], to(`/${'a'.repeat(8000)}`), same(`/${'a'.repeat(8000)}`)),
  refuse('a fragment', [35, 'CVE-2023-45539'], to('/c#d')),
  refuse('a fragment that looks like a file', [35, 'CVE-2023-45539'], to('/c#.png')),
  refuse('a fragment behind a query', [35], to('/c?d#e')),
  ...never.map((code) => refuse(`${byteName(code)} in the target`, [35], to(`/c${String.fromCharCode(code)}d`))),
  ...never
    .slice(0, 8)
    .map((code) => refuse(`${byteName(code)} in the query`, [35], to(`/c?d${String.fromCharCode(code)}e`))),
  refuse('an encoded NUL', [35], to('/c%00d')),
  refuse('an encoded NUL before a query', [35], to('/c%00?d')),
  refuse('a target without a slash', [34], to('c')),
  refuse('a target that is only a query', [34], to('?d')),
  refuse('a dot', [34], to('.')),
  refuse('a backslash', [34], to('\\c')),
  refuse('an authority for GET', [34], to('a:80')),
  refuse('a host name for GET', [34], to('a.example')),
  refuse('an authority for OPTIONS', [34], to('a:80', 'OPTIONS')),

  accept('an absolute target is cut to its path', [32], head('GET http://b/c?d HTTP/1.1', 'Host: b'), {
    method: 'GET',
    target: '/c?d',
    host: 'b',
  }),
  accept('the authority of an absolute target replaces Host', [32], head('GET http://b/c HTTP/1.1', 'Host: a'), {
    method: 'GET',
    target: '/c',
    host: 'b',
  }),
  accept('an absolute target with https', [32], head('GET https://b/c HTTP/1.1', 'Host: a'), {
    method: 'GET',
    target: '/c',
    host: 'b',
  }),
  accept('an absolute target in capital letters', [32], head('GET HTTP://b/c HTTP/1.1', 'Host: a'), {
    method: 'GET',
    target: '/c',
    host: 'b',
  }),
  accept('an absolute target without a path', [32], head('GET http://b HTTP/1.1', 'Host: b'), {
    method: 'GET',
    target: '/',
    host: 'b',
  }),
  accept('an absolute target without a path, with a query', [32], head('GET http://b?d HTTP/1.1', 'Host: b'), {
    method: 'GET',
    target: '/?d',
    host: 'b',
  }),
  accept(
    'an absolute target in HTTP/1.0 without Host',
    [32],
    head('GET http://b/c HTTP/1.0'),
    { method: 'GET', target: '/c', host: 'b' },
    { then: 'closed' },
  ),
  refuse('an absolute target without Host', [31, 32], head('GET http://b/c HTTP/1.1')),
  refuse('an absolute target with two Hosts', [31, 32], head('GET http://b/c HTTP/1.1', 'Host: b', 'Host: b')),
  refuse('an absolute target with an invalid Host', [31, 32], head('GET http://b/c HTTP/1.1', 'Host: a b')),
  refuse('an absolute target without a host', [32], to('http:///c')),
  refuse('an absolute target with only a port', [32], to('http://:80/c')),
  refuse('an absolute target with a user', [32], to('http://user@b/c')),
  refuse('an absolute target with user and password', [32], to('http://user:secret@b/c')),
  refuse('an absolute target with a bad port', [32], to('http://b:x/c')),
  refuse('an absolute target with a backslash in its host', [32], to('http://b\\d/c')),
  refuse('an absolute target of another scheme', [32], to('ftp://b/c')),
  refuse('an absolute target with a scheme that has no host', [32], to('http:c')),
  refuse('an absolute target with one slash', [32], to('http:/b/c')),

  accept('OPTIONS *', [33], to('*', 'OPTIONS'), { method: 'OPTIONS', target: '*', host: 'a' }),
  accept('OPTIONS of an absolute target without a path goes on as *', [33], to('http://b', 'OPTIONS'), {
    method: 'OPTIONS',
    target: '*',
    host: 'b',
  }),
  accept('OPTIONS of an absolute target with a path', [33], to('http://b/', 'OPTIONS'), {
    method: 'OPTIONS',
    target: '/',
    host: 'b',
  }),
  refuse('GET *', [33], to('*')),
  refuse('POST *', [33], to('*', 'POST')),
  refuse('OPTIONS *c', [33], to('*c', 'OPTIONS')),
  stricter('a target that is not ASCII but escaped nowhere', [35], to('/\xc3\xa9'), same('/%C3%A9')),
];
