import { describe, expect, test } from 'vitest';
import type { EndpointView } from '../../../src/model/snapshot.ts';
import { at, policy, state } from '../edge-harness.ts';
import { Origin, quiet, silent, until } from '../wire.ts';
import { clientHello, helloMessage, records, sleeping } from './sessions.ts';

const ALERT = '15030300020270';

/** Services `app` and `other`, led to by name. */
async function byName(names: Record<string, string>) {
  const sni = Object.entries(names).map(([name, service]) => ({ name, service }));
  const edge = await sleeping({ listen: { tcp: { service: undefined, sni } }, others: [policy({ name: 'other' })] });
  const [app, other] = [await Origin.listen(silent), await Origin.listen(silent)];
  const ready = (service: string, endpoints: EndpointView[]) =>
    edge.send({ type: 'service', version: 1000, state: state({ service, endpoints }) });
  ready('app', [at(app)]);
  ready('other', [at(other)]);
  return { edge, app, other };
}

describe('a listener that leads by the name in a ClientHello', () => {
  test('passes the ClientHello and all that follows on as they came', async () => {
    const { edge, app } = await byName({ 'db.example.com': 'app' });
    const client = await edge.connect();
    const bytes = Buffer.concat([clientHello('db.example.com'), Buffer.from('more')]);
    client.write(bytes);
    expect(await (await app.connection()).readExactly(bytes.length)).toEqual(bytes);
    client.socket.resetAndDestroy();
    await until(() => edge.sessions.length === 1, 'a record');
    expect(edge.sessions).toMatchObject([{ serverName: 'db.example.com', service: 'app', bytesIn: bytes.length }]);
  });

  test.each([
    ['a.example.com', 'app'],
    ['b.example.com', 'other'],
    ['x.b.example.com', 'other'],
    ['x.c.example.com', 'app'],
    ['elsewhere.test', undefined],
    ['example.com', undefined],
  ])('leads %s to %s', async (name, service) => {
    const table = { 'a.example.com': 'app', '*.example.com': 'other', '*.c.example.com': 'app' };
    const { edge, app, other } = await byName(table);
    const client = await edge.connect();
    client.write(clientHello(name));
    if (service === undefined) {
      expect((await client.readAll()).toString('hex')).toBe(ALERT);
      expect(client.ending).toBe('end');
      expect(edge.sessions).toMatchObject([{ refusal: 'NO_ROUTE', serverName: name, service: undefined }]);
    } else {
      await (service === 'app' ? app : other).connection();
      await quiet();
      expect(app.connections.length + other.connections.length).toBe(1);
    }
  });

  test('leads every other name, and none, to that of "*"', async () => {
    const { edge, app, other } = await byName({ 'a.example.com': 'app', '*': 'other' });
    (await edge.connect()).write(clientHello('b.example.com'));
    await other.connection();
    (await edge.connect()).write(records(helloMessage([])));
    await other.connection(1);
    expect(app.connections).toEqual([]);
  });

  test('reads a name that comes byte by byte, in several records', async () => {
    const { edge, app } = await byName({ 'a.test': 'app' });
    const client = await edge.connect();
    const hello = records(clientHello('a.test').subarray(5), 7);
    for (const byte of hello) {
      client.write(Buffer.of(byte));
      await edge.taken(client);
    }
    expect(await (await app.connection()).readExactly(hello.length)).toEqual(hello);
  });

  test('ends what is no TLS without a byte', async () => {
    const { edge, app } = await byName({ 'a.test': 'app', '*': 'app' });
    const client = await edge.connect();
    client.write('GET / HTTP/1.1\r\n');
    expect((await client.readAll()).length).toBe(0);
    expect(client.ending).toBe('end');
    expect(edge.sessions).toMatchObject([{ refusal: 'BAD_REQUEST', reason: 'no TLS ClientHello' }]);
    expect(app.connections).toEqual([]);
    const { sessions } = await edge.report();
    expect(sessions ?? edge.all('report').find((each) => each.sessions)?.sessions).toMatchObject({
      ended: { refused: 1 },
    });
  });

  test('ends who sends nothing, or not all of it, in time', async () => {
    const { edge } = await byName({ 'a.test': 'app' });
    const [mute, slow] = [await edge.connect(), await edge.connect()];
    slow.write(clientHello('a.test').subarray(0, 40));
    await edge.taken(slow);
    await edge.pass(9_900, 100);
    expect([mute.ending, slow.ending]).toEqual(['open', 'open']);
    await edge.pass(300);
    await until(() => mute.ending === 'end' && slow.ending === 'end', 'both ends');
    expect(edge.sessions.map(({ refusal }) => refusal)).toEqual(['HEAD_TIMEOUT', 'HEAD_TIMEOUT']);
  });

  test('holds a session whose service sleeps, with its ClientHello', async () => {
    const { edge } = await byName({ 'a.test': 'app' });
    edge.state({ endpoints: [] });
    const client = await edge.connect();
    const hello = clientHello('a.test');
    client.write(hello);
    await edge.held(1);
    expect((await edge.service())?.heldBytes).toBe(hello.length);
  });
});

test('connections that have not named where they lead make room for new ones, the oldest first', async () => {
  const sni = [{ name: '*', service: 'app' }];
  const edge = await sleeping({ listen: { tcp: { service: undefined, sni }, limits: { connections: 2 } } });
  const origin = await Origin.listen(silent);
  edge.state({ endpoints: [at(origin)] });
  const silentOne = await edge.connect();
  const served = await edge.connect();
  served.write(clientHello('a.test'));
  await origin.connection();
  const next = await edge.connect();
  next.write(clientHello('b.test'));
  await origin.connection(1);
  await until(() => edge.sessions.length === 1, 'a record');
  expect(edge.sessions).toMatchObject([{ refusal: 'CONNECTION_LIMIT', service: undefined }]);
  await silentOne.readAll();
  expect([served.ending, next.ending]).toEqual(['open', 'open']);
});
