import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/config/load/parse.ts';

/** What is wrong with a file with these listeners and this service, and what is warned of. */
function told(listen: string, service = '', top = '') {
  const text = `${top}listen: ${listen}
services: { app: { routes: [{ path: / }], endpoints: { static: ["x:1"] } ${service} } }
`;
  const result = parseConfig(text, '/etc/pilotlight.yaml', { HOME: '/' });
  const lines = result.ok ? result.warnings : result.problems;
  return lines.map(({ path, message }) => `${path}: ${message}`);
}

const TLS = 'tls: { certificates: [{ cert: a.pem }] }';
const secure = (more = '') => `{ address: "127.0.0.1:443", ${TLS} ${more} }`;

describe('listeners', () => {
  test.each([
    ['nothing is wrong', `[${secure()}, { address: "127.0.0.1:80", redirectToHttps: true }]`, []],
    [
      'a redirect with nowhere to go',
      '[{ address: "127.0.0.1:80", redirectToHttps: true }]',
      ['listen[0].redirectToHttps: needs a listener with tls to send requests to'],
    ],
    [
      'a redirect of what is secure',
      `[${secure(', redirectToHttps: true')}]`,
      ['listen[0].redirectToHttps: means nothing with tls: requests come by https already'],
    ],
    [
      'a name twice',
      '[{ name: a, address: "127.0.0.1:80" }, { name: a, address: "127.0.0.1:81" }]',
      ['listen[1].name: listen[0] has that name'],
    ],
    ['two on one address', `[${secure()}, ${secure()}]`, ['listen[1].address: taken by listen[0] on 127.0.0.1:443']],
    [
      'neither file nor folder',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{}] } }]',
      ['listen[0].tls.certificates[0]: needs cert or folder'],
    ],
    [
      'both',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a, folder: b }] } }]',
      ['listen[0].tls.certificates[0].folder: cert or folder, not both'],
    ],
    [
      'a name with rules of its own twice',
      `[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], names: [{ hosts: [a.test], minVersion: 1.3 }, { hosts: [b.test, A.test], minVersion: 1.3 }] } }]`,
      ['listen[0].tls.names[1].hosts[1]: names[0] has that name'],
    ],
    [
      'a name without rules of its own',
      `[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], names: [{ hosts: [a.test] }] } }]`,
      ['listen[0].tls.names[0]: says nothing that differs: give minVersion, ciphers, curves or clientAuth'],
    ],
    [
      'a name that asks for nobody',
      `[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], names: [{ hosts: [a.test], minVersion: 1.3, clientAuth: }] } }]`,
      ['listen[0].tls.names[0].clientAuth: nothing stands here: to ask for no certificates, leave the key out'],
    ],
    [
      'a name that is none',
      `[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], names: [{ hosts: ["a.*"], minVersion: 1.3 }] } }]`,
      ['listen[0].tls.names[0].hosts[0]: "*" may only stand for all labels at the start: *.example.com'],
    ],
    [
      'an unknown cipher',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], ciphers: [ECDHE-RSA-AES128-GCM-SHA25] } }]',
      ['listen[0].tls.ciphers[0]: no cipher of that name (did you mean "ecdhe-rsa-aes128-gcm-sha256"?)'],
    ],
    [
      'an unknown group, and what is no name: a list, a sign to leave one out, a word of Node',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], ' +
        'curves: [X25519, P-255, "X25519:P-256", -X25519, auto] } }]',
      [1, 2, 3, 4].map(
        (at) =>
          `listen[0].tls.curves[${at}]: no group of that name, such as X25519 or P-256, that keys can be exchanged by`,
      ),
    ],
    [
      'an old version',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], minVersion: 1.1 } }]',
      ['listen[0].tls.minVersion: expected 1.2 or 1.3: older versions are not safe'],
    ],
    [
      'neither certificates nor where to order them',
      '[{ address: "127.0.0.1:443", tls: { strictSni: true } }]',
      ['listen[0].tls: needs certificates, or acme to order them'],
    ],
    [
      'an unknown key',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], ocsp: {} } }]',
      ['listen[0].tls.ocsp: unknown key'],
    ],
    [
      'an empty clientAuth',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }], clientAuth:  } }]',
      ['listen[0].tls.clientAuth: nothing stands here: to ask for no certificates, leave the key out'],
    ],
    [
      'TLS with tcp',
      '[{ address: "127.0.0.1:443", tls: { certificates: [{ cert: a }] }, tcp: { service: app } }]',
      expect.arrayContaining(['listen[0].tls: means nothing with tcp']),
    ],
  ])('%s', (_name, listen, expected) => {
    expect(told(listen)).toEqual(expected);
  });
});

describe('what refers to listeners', () => {
  const named = `[{ name: public, address: "127.0.0.1:443", ${TLS} }, { name: inside, address: "127.0.0.1:80" }]`;

  test('routes of one path at other listeners are no clash', () => {
    const service = 'other: { routes: [{ path: /, on: [inside] }], endpoints: { static: ["x:1"] } }';
    const text = `listen: ${named}
services: { app: { routes: [{ path: /, on: [public] }], endpoints: { static: ["x:1"] } }, ${service} }
`;
    expect(parseConfig(text, '/p.yaml', { HOME: '/' }).ok).toBe(true);
    const clash = parseConfig(text.replace('on: [inside]', 'on: [inside, public]'), '/p.yaml', { HOME: '/' });
    expect(clash.ok ? [] : clash.problems.map(({ message }) => message)).toEqual(['/ (any host) already leads to app']);
  });

  test('an unknown listener', () => {
    const text = `listen: ${named}
services: { app: { routes: [{ path: /, on: [publik] }], endpoints: { static: ["x:1"] } } }
`;
    const result = parseConfig(text, '/p.yaml', { HOME: '/' });
    expect(result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'services.app.routes[0].on[0]: no listener is called "publik" (did you mean "public"?)',
    ]);
  });

  test('subjects without anybody who asks for certificates', () => {
    const text = `listen: ${named}
services: { app: { routes: [{ path: /, allowSubjects: ["CN=a"] }], endpoints: { static: ["x:1"] } } }
`;
    const result = parseConfig(text, '/p.yaml', { HOME: '/' });
    expect(result.ok ? [] : result.problems.map(({ message }) => message)).toEqual([
      'needs a listener with tls.clientAuth: nobody is let in without',
    ]);
  });

  test('hsts without TLS is warned of, unless a proxy in front may end it', () => {
    const plain = '[{ address: "127.0.0.1:80" }]';
    expect(told(plain, ', hsts: 180d')).toEqual(['services.app.hsts: no listener has tls: nobody is told']);
    expect(told(plain, ', hsts: 180d', 'trustedProxies: [10.0.0.1]\n')).toEqual([]);
    expect(told(`[${secure()}]`, ', hsts: 180d')).toEqual([]);
    expect(told(`[${secure()}]`, ', hsts: 1ms')).toEqual([
      'services.app.hsts: expected a duration of whole seconds, such as 180d, found "1ms"',
    ]);
  });
});
