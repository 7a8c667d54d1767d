import { expect, test } from 'vitest';
import { at, EdgeHarness, policy, type TableChange } from '../edge-harness.ts';
import { answering, Client, Origin, quiet } from '../wire.ts';

const HEADER = 'PROXY TCP4 203.0.113.7 198.51.100.2 4711 443\r\n';
const REQUEST = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

async function listening(table: TableChange = {}, limits = {}): Promise<{ harness: EdgeHarness; origin: Origin }> {
  const origin = await Origin.listen(
    answering((seen) => `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Saw: ${seen.line}\r\n\r\n`),
  );
  const table1 = { trustedProxies: ['127.0.0.0/8'], ...table };
  const harness = await EdgeHarness.start(policy(), table1, {}, { proxyProtocol: true, limits });
  harness.state({ endpoints: [at(origin)] });
  return { harness, origin };
}

async function fieldsAtOrigin(origin: Origin): Promise<Record<string, string[]>> {
  const connection = await origin.connection();
  const seen = await connection.request();
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  return seen?.fields ?? {};
}

test('the address of the header is the client, for the service as for everything else', async () => {
  const { harness, origin } = await listening();
  origin.script = () => {};
  const client = await harness.connect();
  client.write(HEADER + REQUEST);
  const fields = await fieldsAtOrigin(origin);
  expect(fields['x-forwarded-for']).toEqual(['203.0.113.7']);
  expect(fields['x-real-ip']).toEqual(['203.0.113.7']);
  expect((await client.answer()).status).toBe(200);
});

test('the forwarding fields of a client behind a trusted proxy are not believed', async () => {
  const { harness, origin } = await listening();
  origin.script = () => {};
  const client = await harness.connect();
  client.write(`${HEADER}GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n\r\n`);
  const fields = await fieldsAtOrigin(origin);
  expect(fields['x-forwarded-for']).toEqual(['203.0.113.7']);
  expect(fields['x-real-ip']).toEqual(['203.0.113.7']);
});

test('the header may come byte by byte, and the request with it', async () => {
  const { harness, origin } = await listening();
  const client = await harness.connect();
  for (const byte of HEADER + REQUEST) {
    client.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await client.answer()).status).toBe(200);
  client.get();
  expect((await client.answer()).status).toBe(200);
  expect(origin.connections.length).toBe(1);
});

test('a local connection keeps its own address', async () => {
  const { harness, origin } = await listening();
  origin.script = () => {};
  const client = await harness.connect();
  client.write(Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), Buffer.from(REQUEST)]));
  expect((await fieldsAtOrigin(origin))['x-forwarded-for']).toEqual(['127.0.0.1']);
});

test('who is no trusted proxy is not listened to', async () => {
  const { harness, origin } = await listening({ trustedProxies: ['10.0.0.0/8'] });
  const client = await Client.open(harness.port);
  client.write(HEADER + REQUEST);
  expect(await client.untilOver()).not.toBe('open');
  expect(client.total).toBe(0);
  expect(origin.connections.length).toBe(0);
  await harness.connections(0);
});

test.each([
  ['no header', REQUEST],
  ['a broken header', 'PROXY TCP4 203.0.113.7\r\n'],
])('%s closes the connection without an answer', async (_name, bytes) => {
  const { harness, origin } = await listening();
  const client = await harness.connect();
  client.write(bytes);
  expect(await client.untilOver()).not.toBe('open');
  expect(client.total).toBe(0);
  expect(origin.connections.length).toBe(0);
});

test('a header that does not come is waited for as long as a head', async () => {
  const { harness } = await listening();
  const client = await harness.connect();
  client.write('PROXY TC');
  await harness.taken(client);
  harness.clock.advance(9_900);
  await quiet();
  expect(client.over).toBe(false);
  harness.clock.advance(1100);
  expect(await client.untilOver()).not.toBe('open');
  await harness.connections(0);
});

test('the limit per client counts the addresses of the headers', async () => {
  const { harness } = await listening({}, { connectionsPerClient: 1 });
  const [first, second, other] = [await harness.connect(), await harness.connect(), await harness.connect()];
  first.write(HEADER + REQUEST);
  expect((await first.answer()).status).toBe(200);
  second.write(HEADER + REQUEST);
  const refused = await second.answer();
  expect(refused.status).toBe(503);
  expect(refused.fields['proxy-status']).toEqual(['pilotlight; error=connection_limit_reached']);
  other.write(`PROXY TCP4 203.0.113.8 198.51.100.2 1 443\r\n${REQUEST}`);
  expect((await other.answer()).status).toBe(200);
});

test('of IPv6, all addresses of one network are one client', async () => {
  const { harness } = await listening({}, { connectionsPerClient: 1 });
  const [first, second, other] = [await harness.connect(), await harness.connect(), await harness.connect()];
  const from = (address: string) => `PROXY TCP6 ${address} 2001:db8:ffff::2 1 443\r\n${REQUEST}`;
  first.write(from('2001:db8:0:1::1'));
  expect((await first.answer()).status).toBe(200);
  second.write(from('2001:db8:0:1:ffff::2'));
  expect((await second.answer()).status).toBe(503);
  other.write(from('2001:db8:0:2::1'));
  expect((await other.answer()).status).toBe(200);
  first.destroy();
  second.destroy();
  await harness.connections(1);
  const again = await harness.connect();
  again.write(from('2001:db8:0:1::3'));
  expect((await again.answer()).status).toBe(200);
});

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
const v2 = (port: string, tlv: string) =>
  `${SIGNATURE}\x21\x11\x00${String.fromCharCode(12 + tlv.length)}\xcb\x00\x71\x07\x7f\x00\x00\x01\x12\x67${port}${tlv}`;

test.each<[what: string, header: string, proto: string, port: string]>([
  ['came by TLS', v2('\x20\xfb', '\x20\x00\x05\x01\x00\x00\x00\x00'), 'https', '8443'],
  ['came to 443 without TLS', v2('\x01\xbb', '\x20\x00\x05\x00\x00\x00\x00\x00'), 'http', '443'],
  ['came to 443, of which no more is said', HEADER, 'https', '443'],
  ['came to another port', HEADER.replace(' 443', ' 8000'), 'http', '8000'],
])('a client that %s by its header is told so to the service', async (_what, header, proto, port) => {
  const { harness, origin } = await listening();
  origin.script = () => {};
  const client = await harness.connect();
  client.write(header + REQUEST.replace('\r\n\r\n', '\r\nX-Forwarded-Proto: ws\r\nX-Forwarded-Port: 1\r\n\r\n'));
  const fields = await fieldsAtOrigin(origin);
  expect([fields['x-forwarded-proto'], fields['x-forwarded-port']]).toEqual([[proto], [port]]);
  expect(fields['x-forwarded-for']).toEqual(['203.0.113.7']);
});
