import { describe, expect, test } from 'vitest';
import { until } from '../wire.ts';
import { clientHello, sleeping, spliced, TO_APP } from './sessions.ts';

const TRUSTED = { table: { trustedProxies: ['127.0.0.1'] }, listen: { proxyProtocol: true, tcp: TO_APP } };
const HEADER = 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 5432\r\n';

describe('a TCP session with a PROXY header', () => {
  test('of a client is known by whom the header names, and passed on without it', async () => {
    const { origin, edge } = await spliced(TRUSTED);
    const client = await edge.connect();
    client.write(HEADER.slice(0, 20));
    await edge.taken(client);
    client.write(`${HEADER.slice(20)}hello`);
    const service = await origin.connection();
    client.end();
    expect((await service.readAll()).toString()).toBe('hello');
    service.end();
    await until(() => edge.sessions.length === 1, 'a record');
    expect(edge.sessions).toMatchObject([{ client: '203.0.113.7', clientPort: 4711, bytesIn: 5 }]);
  });

  test('that is broken, or late, ends', async () => {
    const { edge } = await spliced(TRUSTED);
    const [broken, late] = [await edge.connect(), await edge.connect()];
    broken.write('hello\r\n');
    await until(() => broken.ending === 'end', 'the end');
    await edge.pass(10_200, 100);
    await until(() => late.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([
      { refusal: 'BAD_REQUEST', reason: 'no PROXY header' },
      { refusal: 'HEAD_TIMEOUT' },
    ]);
  });

  test('that does not come makes room for another, which one that is held does not', async () => {
    const edge = await sleeping({ ...TRUSTED, listen: { ...TRUSTED.listen, limits: { connections: 1 } } });
    const late = await edge.connect();
    const held = await edge.connect();
    held.write(HEADER);
    await edge.held(1);
    await late.untilOver();
    const third = await edge.connect();
    await third.untilOver();
    expect(edge.sessions).toMatchObject([{ refusal: 'CONNECTION_LIMIT', service: undefined }]);
    expect(held.ending).toBe('open');
  });

  test('comes before a name', async () => {
    const sni = [{ name: 'a.test', service: 'app' }];
    const { origin, edge } = await spliced({
      ...TRUSTED,
      listen: { proxyProtocol: true, tcp: { service: undefined, sni } },
    });
    const client = await edge.connect();
    const hello = clientHello('a.test');
    client.write(Buffer.concat([Buffer.from(HEADER), hello]));
    expect(await (await origin.connection()).readExactly(hello.length)).toEqual(hello);
  });

  test('counts among the connections of the client that it names', async () => {
    const limits = { connectionsPerClient: 1 };
    const edge = await sleeping({ ...TRUSTED, listen: { ...TRUSTED.listen, limits } });
    const [first, second] = [await edge.connect(), await edge.connect()];
    first.write(HEADER);
    await edge.held(1);
    second.write(HEADER);
    await until(() => second.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([{ refusal: 'CONNECTION_LIMIT', client: '203.0.113.7' }]);
  });

  test.each(['v1', 'v2'] as const)('of version %s tells the service who its client is', async (proxyProtocol) => {
    const { origin, edge } = await spliced({ policy: { upstream: { protocol: 'http1', proxyProtocol } } });
    const client = await edge.connect();
    client.write('hello');
    const service = await origin.connection();
    const { localPort = 0 } = client.socket;
    if (proxyProtocol === 'v1') {
      expect(await service.readThrough('\r\n')).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${edge.port}\r\n`);
    } else {
      const header = await service.readExactly(28);
      expect([header.readUInt16BE(24), header.readUInt16BE(26)]).toEqual([localPort, edge.port]);
    }
    expect((await service.readExactly(5)).toString()).toBe('hello');
  });

  test('is sent before a service that speaks first has spoken, to a client that says nothing', async () => {
    const { origin, edge } = await spliced({ policy: { upstream: { protocol: 'http1', proxyProtocol: 'v1' } } });
    await edge.connect();
    expect(await (await origin.connection()).readThrough('\r\n')).toContain('PROXY TCP4 127.0.0.1');
  });
});

describe('a TCP listener', () => {
  test('ends connections beyond its limit without an answer', async () => {
    const { origin, edge } = await spliced({ listen: { limits: { connections: 1 } } });
    await edge.connect();
    await origin.connection();
    const second = await edge.connect();
    expect((await second.readAll()).length).toBe(0);
    expect(second.ending).toBe('end');
  });
});
