import { describe, expect, test } from 'vitest';
import { marked, problemsOf, settingsOf, warningsOf } from '../parse.ts';

/** A file with a service whose `upstream` is this. */
function file(upstream: string, service = '', address = '127.0.0.1:1'): string {
  return (
    'listen: [{ address: "127.0.0.1:8080" }]\n' +
    `services: { app: { routes: [{}], endpoints: { static: ["${address}"] }, ${service} upstream: ${upstream} } }\n`
  );
}

const upstreamOf = (text: string) => settingsOf(text).services[0]?.upstream;
const TLS = { ca: undefined, serverName: undefined, verify: true, cert: undefined, key: undefined };

test('services are spoken to by HTTP/1.1 in clear text', () => {
  expect(upstreamOf(file('{}'))).toEqual({ protocol: 'http1', tls: undefined, proxyProtocol: false });
});

test('TLS is switched on by a word, taken back by another, or described', () => {
  expect(upstreamOf(file('{ tls: true }'))?.tls).toEqual(TLS);
  const withDefaults = `defaults: { upstream: { tls: true } }\n${file('{ tls: false }')}`;
  expect(upstreamOf(withDefaults)?.tls).toBeUndefined();
  const described = upstreamOf(file('{ tls: { ca: tls/ca.pem, serverName: App.Internal, cert: /c.pem } }'))?.tls;
  expect(described).toMatchObject({ serverName: 'app.internal', verify: true, cert: '/c.pem' });
  expect(described?.ca).toMatch(/^\/.*\/tls\/ca\.pem$/);
});

test('a unix socket is an address', () => {
  const { services } = settingsOf(file('{}', '', 'unix:/run/Shop.sock'));
  expect(services[0]?.endpoints).toMatchObject({ static: { addresses: [{ host: '/run/Shop.sock', port: 0 }] } });
});

describe('what is wrong is told with its place', () => {
  test.each([
    ['{ protocol: http3 }', 'protocol', 'expected http1 or http2'],
    ['{ tls: maybe }', 'tls', 'expected true or false'],
    ['{ tls: { key: k.pem } }', 'tls.key', 'means nothing without cert'],
    ['{ tls: { serverName: "a b" } }', 'tls.serverName', 'expected a host name'],
    ['{ serverName: app.test }', '', 'stands in upstream.tls'],
    ['{ protocol: http2, proxyProtocol: v2 }', 'proxyProtocol', 'does not go with protocol: http2'],
  ])('%s', (upstream, key, message) => {
    const problems = problemsOf(file(upstream));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^2:\d+ /);
    expect(problems[0]).toContain(`services.app.upstream${key === '' ? '' : `.${key}`}`);
    expect(problems[0]).toContain(message);
  });

  test.each([
    ['unix:run/shop.sock', 'the path of a socket is absolute: unix:/run/shop.sock'],
    [`unix:/${'x'.repeat(107)}`, 'the path of a socket has 107 bytes at most, this one has 108'],
    ['https://shop:443', 'an address is host:port; for TLS set upstream.tls of the service'],
  ])('%s', (address, message) => {
    const { text, place } = marked(file('{}', '', address).replace(`"${address}`, `§"${address}`));
    expect(problemsOf(text)).toEqual([`${place}  services.app.endpoints.static[0]: ${message}`]);
  });

  test('a unix socket with TLS, or behind the compatibility engine', () => {
    expect(problemsOf(file('{ tls: true }', '', 'unix:/run/a.sock'))[0]).toContain('is not spoken to by TLS');
    expect(problemsOf(file('{}', 'engine: http-proxy,', 'unix:/run/a.sock'))[0]).toContain(
      'does not reach unix sockets',
    );
    expect(problemsOf(file('{ protocol: http2 }', 'engine: http-proxy,'))[0]).toContain(
      'speaks HTTP/1.1 in clear text',
    );
  });

  test('certificates that are not verified are warned of', () => {
    expect(warningsOf(file('{ tls: { verify: false } }'))).toEqual([
      expect.stringContaining('services.app.upstream.tls.verify: anybody on the way'),
    ]);
  });
});
