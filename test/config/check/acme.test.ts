import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load/parse.ts';

const DIRECTORY = 'directory: "https://acme.test/dir"';

/** A file with an order on its secure listener, called `public`, and these routes. */
function parse(acme: string, routes: string, plain = '{ address: "127.0.0.1:80" }', certificates = '[]') {
  const listen = `[{ name: public, address: "127.0.0.1:443", tls: { certificates: ${certificates}, acme: ${acme} } }, ${plain}]`;
  const services = `{ app: { routes: ${routes}, endpoints: { static: ["x:1"] } } }`;
  return parseConfig(`listen: ${listen}\nservices: ${services}\n`, '/etc/pilotlight.yaml', { HOME: '/' });
}

/** What is wrong or warned of. */
function told(...given: Parameters<typeof parse>): string[] {
  const result = parse(...given);
  return (result.ok ? result.warnings : result.problems).map(({ path, message }) => `${path}: ${message}`);
}

const ROUTES = '[{ host: a.test }]';

describe('what is ordered', () => {
  test('are the exact hosts of the routes of the listener, each once', () => {
    const routes =
      '[{ host: A.test }, { host: a.test, path: /x }, { host: b.test, on: [public] }, { host: c.test, on: [other] }, ' +
      '{ host: "*.d.test" }, { host: 10.0.0.1 }, { host: "[::1]" }, { host: under_score.test }, { path: /y }]';
    const result = parse(`{ ${DIRECTORY} }`, routes, '{ name: other, address: "127.0.0.1:80" }');
    expect(result.ok && result.settings.listen[0]?.tls?.acme).toEqual({
      directory: 'https://acme.test/dir',
      challenge: 'http-01',
      hosts: ['a.test', 'b.test'],
    });
  });
});

test.each([
  ['nothing is wrong', `{ ${DIRECTORY} }`, ROUTES, undefined, []],
  ['no directory', '{ email: a@b.test }', ROUTES, undefined, ['listen[0].tls.acme.directory: is missing']],
  [
    'a directory in clear text',
    '{ directory: "http://acme.test/dir" }',
    ROUTES,
    undefined,
    ['listen[0].tls.acme.directory: an address of https: authorities are asked by no other way'],
  ],
  [
    'no mail address',
    `{ ${DIRECTORY}, email: ops }`,
    ROUTES,
    undefined,
    ['listen[0].tls.acme.email: expected a mail address, found "ops"'],
  ],
  [
    'a challenge that is not spoken',
    `{ ${DIRECTORY}, challenge: dns-01 }`,
    ROUTES,
    undefined,
    [expect.stringContaining('listen[0].tls.acme.challenge: expected http-01 or tls-alpn-01')],
  ],
  [
    'an account without its key',
    `{ ${DIRECTORY}, eab: { kid: a } }`,
    ROUTES,
    undefined,
    ['listen[0].tls.acme.eab: needs either hmac or hmacFile'],
  ],
  [
    'an account with two keys',
    `{ ${DIRECTORY}, eab: { kid: a, hmac: aa, hmacFile: f } }`,
    ROUTES,
    undefined,
    ['listen[0].tls.acme.eab: needs either hmac or hmacFile'],
  ],
  [
    'a key that is none, which is not shown',
    `{ ${DIRECTORY}, eab: { kid: a, hmac: "sec/ret" } }`,
    ROUTES,
    undefined,
    ['listen[0].tls.acme.eab.hmac: expected base64url as the authority gave it'],
  ],
  [
    'an account that a variable left out',
    `{ ${DIRECTORY}, eab: }`,
    ROUTES,
    undefined,
    ['listen[0].tls.acme.eab: nothing stands here: leave the key out'],
  ],
  [
    'no host to order for',
    `{ ${DIRECTORY} }`,
    '[{ path: / }]',
    undefined,
    ['listen[0].tls.acme: no route of this listener has an exact host: nothing is ordered'],
  ],
  [
    'a wildcard',
    `{ ${DIRECTORY} }`,
    '[{ host: a.test }, { host: "*.a.test" }]',
    undefined,
    [
      'listen[0].tls.acme: no certificate for *.a.test: one can be ordered for exact host names alone: name files in certificates',
    ],
  ],
  [
    'nobody at port 80',
    `{ ${DIRECTORY}, challenge: http-01 }`,
    ROUTES,
    '{ address: "127.0.0.1:8443", tls: { certificates: [{ cert: a.pem }] } }',
    ['listen[0].tls.acme.challenge: http-01 is asked of port 80 in clear text: no listener is without tls'],
  ],
])('%s', (_name, acme, routes, plain, expected) => {
  expect(told(acme, routes, plain)).toEqual(expected);
});

test('an order that a variable left out is no order', () => {
  expect(told('', ROUTES, undefined, '[{ cert: a.pem }]')).toEqual([
    'listen[0].tls.acme: nothing stands here: to order nothing, leave the key out',
  ]);
});
