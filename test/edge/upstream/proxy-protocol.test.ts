import { expect, test } from 'vitest';
import { EdgeHarness } from '../edge-harness.ts';
import { Origin, type OriginConnection, ok, until } from '../wire.ts';

const V2 = '\r\n\r\n\0\r\nQUIT\n';

async function origin(): Promise<{ origin: Origin; headers: string[] }> {
  const headers: string[] = [];
  const listening = await Origin.listen(async (connection: OriginConnection) => {
    headers.push((await connection.readThrough('\r\n')) ?? '');
    for (;;) {
      if ((await connection.request()) === undefined) break;
      connection.write(ok());
    }
    connection.end();
  });
  return { origin: listening, headers };
}

test('tells the client of every request, each on a connection of its own', async () => {
  const { origin: service, headers } = await origin();
  const edge = await EdgeHarness.ready(service, { upstream: { protocol: 'http1', proxyProtocol: 'v1' } });
  const [first, second] = [await edge.connect(), await edge.connect('127.0.0.1', '127.0.0.2')];
  for (const client of [first, second, first]) {
    client.get();
    expect((await client.answer()).text).toBe('hello');
  }
  const line = (host: string, port = 0) => `PROXY TCP4 ${host} 127.0.0.1 ${port} ${edge.port}\r\n`;
  const [one, two] = [first.socket.localPort, second.socket.localPort];
  expect(headers).toEqual([line('127.0.0.1', one), line('127.0.0.2', two), line('127.0.0.1', one)]);
  await until(() => service.open === 0, 'the end of the connections');
});

test('of version 2 comes before the request', async () => {
  const service = await Origin.listen(async (connection) => {
    const header = await connection.readExactly(28);
    if (header.toString('latin1').startsWith(V2) && header[12] === 0x21) await connection.request();
    connection.write(ok(`port ${header.readUInt16BE(24)}`));
  });
  const edge = await EdgeHarness.ready(service, { upstream: { protocol: 'http1', proxyProtocol: 'v2' } });
  const client = await edge.connect();
  client.get();
  expect((await client.answer()).text).toBe(`port ${client.socket.localPort}`);
});

test('of a probe names no client, and no request goes on its connection', async () => {
  const { origin: service, headers } = await origin();
  const edge = await EdgeHarness.ready(service, { upstream: { protocol: 'http1', proxyProtocol: 'v1' } });
  const check = { kind: 'http', path: '/', hostHeader: 'app.test', statusMin: 200, statusMax: 299 } as const;
  const { port } = service;
  edge.send({
    type: 'probe',
    probe: 'p',
    service: 'app',
    endpoint: 'other',
    host: '127.0.0.1',
    port,
    check,
    timeoutMs: 60_000,
  });
  expect(await edge.message('probed')).toMatchObject({ ok: true });
  expect(headers).toEqual(['PROXY UNKNOWN\r\n']);
  await until(() => service.open === 0, 'the end of the connection');
});
