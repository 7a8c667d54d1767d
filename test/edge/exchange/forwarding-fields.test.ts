import { expect, test } from 'vitest';
import { UntrustedForwarding } from '../../../src/edge/client/untrusted-forwarding.ts';
import { forwardedElements } from '../../../src/edge/io/forwarded.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { rules, serve } from '../route/rules.ts';
import type { Seen } from '../wire.ts';

const NAMES = ['proto', 'port', 'host', 'for'] as const;

/** What the service is told of a request with these fields that came through a trusted proxy. */
async function told(fields: string, host = 'app.test'): Promise<Seen['fields']> {
  const { harness, seen } = await serve({ '/': undefined }, { trustedProxies: ['127.0.0.0/8'] });
  const client = await harness.connect();
  client.get('/', fields, host);
  await client.answer();
  return seen[0]?.fields ?? {};
}

test.each<[what: string, fields: string, proto: string, port: string | undefined]>([
  ['nothing', '', 'http', undefined],
  ['https', 'X-Forwarded-Proto: https\r\n', 'https', '443'],
  ['https in capitals', 'X-Forwarded-Proto: HTTPS\r\n', 'https', '443'],
  ['wss', 'X-Forwarded-Proto: wss\r\n', 'wss', '443'],
  ['ws', 'X-Forwarded-Proto: ws\r\n', 'ws', '80'],
  ['http', 'X-Forwarded-Proto: http\r\n', 'http', '80'],
  ['two fields', 'X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n', 'https', '443'],
  ['a list', 'X-Forwarded-Proto: https,http\r\n', 'https', '443'],
  ['an empty scheme', 'X-Forwarded-Proto: \r\n', 'http', undefined],
  ['an empty scheme and a sound one', 'X-Forwarded-Proto: \r\nX-Forwarded-Proto: https\r\n', 'https', '443'],
  ['a scheme that is none', 'X-Forwarded-Proto: javascript\r\n', 'http', undefined],
  ['https on a port of its own', 'X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n', 'https', '8443'],
  ['https on 443', 'X-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n', 'https', '443'],
  ['port 443 alone', 'X-Forwarded-Port: 443\r\n', 'https', '443'],
  ['port 80 alone', 'X-Forwarded-Port: 80\r\n', 'http', '80'],
  ['two ports', 'X-Forwarded-Port: 8443\r\nX-Forwarded-Port: 443\r\n', 'http', '8443'],
  ['a port that is none', 'X-Forwarded-Port: 99999\r\n', 'http', undefined],
  ['port 0', 'X-Forwarded-Port: 0\r\n', 'http', undefined],
  ['https and a port that is none', 'X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443x\r\n', 'https', '443'],
  ['https in Forwarded', 'Forwarded: for=1.2.3.4;proto=https\r\n', 'https', '443'],
  ['https in Forwarded, http beside it', 'Forwarded: proto=https\r\nX-Forwarded-Proto: http\r\n', 'http', '80'],
])('of a trusted proxy that says %s, scheme and port go on checked, once each, and agree', async (...row) => {
  const [, fields, proto, port] = row;
  const seen = await told(fields);
  expect(seen['x-forwarded-proto']).toEqual([proto]);
  expect(seen['x-forwarded-port']).toHaveLength(1);
  if (port !== undefined) expect(seen['x-forwarded-port']).toEqual([port]);
  else expect(Number(seen['x-forwarded-port'])).toBeGreaterThan(1023);
});

test('the port of https that nobody names is the one that was asked for', async () => {
  const seen = await told('X-Forwarded-Proto: https\r\n', 'app.test:8443');
  expect(seen['x-forwarded-port']).toEqual(['8443']);
  const other = await told('X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example:9443\r\n');
  expect([other['x-forwarded-port'], other['x-forwarded-host']]).toEqual([['9443'], ['shop.example:9443']]);
});

test('a host that is none is not believed, and of several the first that is one is', async () => {
  expect((await told('X-Forwarded-Host: a b\r\n'))['x-forwarded-host']).toEqual(['app.test']);
  const seen = await told('X-Forwarded-Host: shop.example, inner.test\r\nX-Forwarded-Host: other.test\r\n');
  expect(seen['x-forwarded-host']).toEqual(['shop.example']);
});

test('no stranger names another path than the one whose guard was asked', async () => {
  const fields = 'X-Original-URL: /secret\r\nX-Rewrite-URL: /secret\r\n';
  const aliases = 'X_Original_URL: /secret\r\nx-rewrite_url: /secret\r\n';
  const { harness, seen } = await serve({ '/': undefined });
  const client = await harness.connect();
  client.get('/', `${fields}${aliases}X-Original: kept\r\n`);
  await client.answer();
  const names = Object.keys(seen[0]?.fields ?? {});
  expect(names.filter((name) => /url/.test(name))).toEqual([]);
  expect(names).toContain('x-original');
  const trusted = await told(fields);
  expect([trusted['x-original-url'], trusted['x-rewrite-url']]).toEqual([['/secret'], ['/secret']]);
});

test('other fields of a trusted proxy pass as they are', async () => {
  expect((await told('X-Forwarded-Prefix: /blog\r\n'))['x-forwarded-prefix']).toEqual(['/blog']);
});

test('a client that a trusted proxy does not name by an address is told as no address, and is in no range', async () => {
  const seen = await told('X-Forwarded-For: 1.2.3.4, junk\r\n');
  expect([seen['x-forwarded-for'], seen['x-real-ip']]).toEqual([['1.2.3.4, junk, 127.0.0.1'], undefined]);
  const allow = rules({ allow: ['127.0.0.0/8', '1.2.3.4', '0.0.0.0/0', '::/0'] });
  const { harness } = await serve({ '/': allow }, { trustedProxies: ['127.0.0.0/8'] });
  const client = await harness.connect();
  client.get('/', 'X-Forwarded-For: 1.2.3.4, junk\r\n');
  expect((await client.answer()).status).toBe(403);
  client.get('/', 'X-Forwarded-For: junk, 1.2.3.4\r\n');
  expect((await client.answer()).status).toBe(200);
});

test('Forwarded names the client where there is no X-Forwarded-For, and goes on with the peer behind it', async () => {
  const seen = await told('Forwarded: for=9.9.9.9;proto=http\r\nForwarded: for="[2001:db8::1]:4711"\r\n');
  expect(seen['x-real-ip']).toEqual(['2001:db8::1']);
  expect(seen['forwarded']).toEqual(['for=9.9.9.9;proto=http, for="[2001:db8::1]:4711", for=127.0.0.1']);
  const both = await told('Forwarded: for=9.9.9.9\r\nX-Forwarded-For: 203.0.113.9\r\n');
  expect(both['x-real-ip']).toEqual(['203.0.113.9']);
});

test('a Forwarded that cannot be read names nobody, and is not passed on', async () => {
  const seen = await told('Forwarded: for="9.9.9.9, for=203.0.113.9\r\n');
  expect([seen['x-real-ip'], seen['forwarded']]).toEqual([undefined, ['for=127.0.0.1']]);
});

test.each<[value: string, elements: ReturnType<typeof forwardedElements>]>([
  ['for=1.2.3.4', [{ for: '1.2.3.4', proto: undefined, host: undefined }]],
  [
    'For="[::1]:80" ; PROTO=https;by=x , for=_b',
    [
      { for: '[::1]:80', proto: 'https', host: undefined },
      { for: '_b', proto: undefined, host: undefined },
    ],
  ],
  ['for="a, for=b;\\"c"', [{ for: 'a, for=b;"c', proto: undefined, host: undefined }]],
  [', for=a,,', [{ for: 'a', proto: undefined, host: undefined }]],
  ['secret=x', [{ for: undefined, proto: undefined, host: undefined }]],
  ['', []],
  ['for', undefined],
  ['for=', undefined],
  ['for=a b', undefined],
  ['for="a', undefined],
  ['for=a;for=b', undefined],
  ['for=[::1]', undefined],
  ['for="a"b', undefined],
])('Forwarded is read by its grammar: %s', (value, elements) => {
  expect(forwardedElements(value)).toEqual(elements);
});

test('an address in quotes that holds a comma names nobody else', async () => {
  expect((await told('Forwarded: for="9.9.9.9, 203.0.113.9"\r\n'))['x-real-ip']).toBeUndefined();
});

test('a cookie that keeps to an endpoint is Secure for who came by https, however a trusted proxy spells that', async () => {
  const { harness } = await serve(
    { '/': undefined },
    { trustedProxies: ['127.0.0.0/8'] },
    { sticky: { cookie: 'at', ttlMs: 0 }, stickyKey: 'key' },
  );
  const cookieFor = async (fields: string) => {
    const client = await harness.connect();
    client.get('/', fields);
    return (await client.answer()).fields['set-cookie']?.[0];
  };
  expect(await cookieFor('X-Forwarded-Proto: HTTPS, http\r\n')).toContain('Secure');
  expect(await cookieFor('X-Forwarded-Proto: http\r\n')).not.toContain('Secure');
});

test('that forwarding fields of a peer are dropped is said once per network, and bounded', () => {
  const lines: string[] = [];
  const told = new UntrustedForwarding({ ...silentLogger, warn: (_fields, line) => lines.push(line) });
  for (let i = 0; i < 250; i++) told.tell(`10.1.1.${i}`);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('10.1.1.0');
  expect(lines[0]).toContain('trustedProxies');
  for (let i = 0; i < 250; i++) told.tell(`203.0.${i}.7`);
  for (let i = 0; i < 250; i++) told.tell(`2001:db8:${i}::7`);
  expect(lines).toHaveLength(5);
  for (let i = 0; i < 250; i++) told.tell(`192.168.${i}.7`);
  expect(lines).toHaveLength(20);
});

test('of a peer that is not trusted they are dropped, all of them, and ours are there once', async () => {
  const { harness, seen } = await serve({ '/': undefined });
  const client = await harness.connect();
  client.get(
    '/',
    'X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-For: 1\r\n',
  );
  await client.answer();
  const fields = seen[0]?.fields ?? {};
  expect(NAMES.map((name) => fields[`x-forwarded-${name}`]?.length)).toEqual([1, 1, 1, 1]);
  expect([fields['forwarded'], fields['x-forwarded-proto']]).toEqual([undefined, ['http']]);
});
