import { describe, expect, test } from 'vitest';
import { at } from '../edge-harness.ts';
import { Origin, quiet, silent, until } from '../wire.ts';
import { sleeping } from './sessions.ts';

describe('a TCP session of a sleeping service', () => {
  test('asks for the service, waits, and goes on with what it sent', async () => {
    const edge = await sleeping();
    const client = await edge.connect();
    client.write('early');
    await edge.held(1);
    await edge.taken(client);
    expect(await edge.message('demand', ({ held }) => held === 1)).toMatchObject({ service: 'app' });
    expect(await edge.service()).toMatchObject({ held: 1, heldBytes: 5, idleForMs: 0, lastRequest: 'TCP app' });
    const origin = await Origin.listen(silent);
    edge.state({ endpoints: [at(origin)] });
    const service = await origin.connection();
    expect((await service.readExactly(5)).toString()).toBe('early');
    service.write('answer');
    expect((await client.readExactly(6)).toString()).toBe('answer');
    expect(await edge.service()).toMatchObject({ held: 0, heldBytes: 0, inFlight: 1 });
  });

  test('keeps its end, and passes it on', async () => {
    const edge = await sleeping();
    const client = await edge.connect();
    client.write('all of it');
    await edge.end(client);
    await edge.held(1);
    const origin = await Origin.listen(silent);
    edge.state({ endpoints: [at(origin)] });
    const service = await origin.connection();
    expect((await service.readAll()).toString()).toBe('all of it');
    service.write('late');
    service.end();
    expect((await client.readAll()).toString()).toBe('late');
    await until(() => edge.sessions.length === 1, 'a record');
    expect(edge.sessions).toMatchObject([{ ending: 'complete', cold: true, bytesIn: 9, bytesOut: 4 }]);
  });

  test('is not read beyond a bound while it waits, and loses nothing of it', async () => {
    const edge = await sleeping();
    const client = await edge.connect();
    const all = Buffer.alloc(2 ** 20, 'x');
    client.write(all);
    await edge.held(1);
    await quiet();
    expect((await edge.service())?.heldBytes).toBeGreaterThan(0);
    expect((await edge.service())?.heldBytes).toBeLessThanOrEqual(80 * 1024);
    const origin = await Origin.listen(silent);
    edge.state({ endpoints: [at(origin)] });
    expect(await (await origin.connection()).readExactly(all.length)).toEqual(all);
  });

  test('is ended in order when the hold is over', async () => {
    const edge = await sleeping();
    edge.state({ holdTimeoutMs: 10_000 });
    const client = await edge.connect();
    client.write('unread');
    await edge.taken(client);
    await edge.pass(9_950);
    expect(client.ending).toBe('open');
    await edge.pass(200);
    await until(() => client.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([{ ending: 'refused', refusal: 'HOLD_TIMEOUT', reason: 'hold.timeout' }]);
    expect((await edge.service())?.heldBytes).toBe(0);
    expect(edge.all('report').some(({ services }) => services[0]?.holdRejected.deadline === 1)).toBe(true);
  });

  test('is ended in order when the start fails', async () => {
    const edge = await sleeping();
    const client = await edge.connect();
    await edge.held(1);
    edge.state({ failures: 1 });
    await until(() => client.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([{ ending: 'refused', refusal: 'START_FAILED', endpoint: undefined }]);
  });

  test('is turned away where the hold is full; one whose client ended its side goes first', async () => {
    const edge = await sleeping({ policy: { hold: { max: 1 } } });
    const first = await edge.connect();
    await edge.held(1);
    const second = await edge.connect();
    await until(() => second.ending === 'end', 'the end of the second');
    await edge.end(first);
    const third = await edge.connect();
    await until(() => first.ending === 'end', 'the end of the first');
    await edge.held(1);
    expect(third.ending).toBe('open');
    expect(edge.sessions.map(({ refusal }) => refusal)).toEqual(['HOLD_FULL', 'HOLD_FULL']);
  });

  test('is bounded by client and by bytes', async () => {
    const edge = await sleeping({ policy: { hold: { perClient: 2, maxBytes: 10 } } });
    const [first, second] = [await edge.connect(), await edge.connect()];
    await edge.held(2);
    const third = await edge.connect();
    await until(() => third.ending === 'end', 'the end of the third');
    first.write('12345');
    await edge.taken(first);
    second.write('123456');
    await until(() => second.ending === 'end', 'the end of the second');
    expect(edge.sessions.map(({ refusal }) => refusal)).toEqual(['HOLD_CLIENT', 'HOLD_BYTES']);
    expect(await edge.service()).toMatchObject({ held: 1, heldBytes: 5 });
  });

  test('leaves the queue when its client resets', async () => {
    const edge = await sleeping();
    const client = await edge.connect();
    await edge.held(1);
    client.socket.resetAndDestroy();
    await edge.held(0);
    expect(edge.sessions).toMatchObject([{ ending: 'client-left', refusal: undefined }]);
    await edge.pass(20);
    await edge.message('demand', ({ held }) => held === 0);
  });

  test('waits for a slot where every endpoint has as many as it may', async () => {
    const origin = await Origin.listen(silent);
    const edge = await sleeping({ policy: { concurrency: 1 } });
    edge.state({ endpoints: [at(origin)] });
    const first = await edge.connect();
    await edge.inFlight(1);
    await edge.connect();
    await edge.held(1);
    first.end();
    (await origin.connection()).end();
    await edge.held(0);
    await origin.connection(1);
  });

  test('is told at once where nobody can start the service', async () => {
    const edge = await sleeping({ policy: { wakeable: false } });
    const client = await edge.connect();
    await until(() => client.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([{ refusal: 'NO_ENDPOINT', service: 'app' }]);
  });

  test('is refused when the drain of the edge is over', async () => {
    const edge = await sleeping({ policy: { timeouts: { drainMs: 1_000 } } });
    const client = await edge.connect();
    await edge.held(1);
    const drained = edge.edge.drain(30_000);
    await quiet();
    await edge.pass(900);
    expect(client.ending).toBe('open');
    await edge.pass(200);
    await until(() => client.ending === 'end', 'the end');
    expect(edge.sessions).toMatchObject([{ ending: 'refused', refusal: 'DRAINING' }]);
    client.end();
    await edge.connections(0);
    await edge.pass(100);
    await drained;
  });
});
