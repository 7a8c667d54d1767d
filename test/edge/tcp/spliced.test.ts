import { describe, expect, test } from 'vitest';
import { quiet, until } from '../wire.ts';
import { spliced } from './sessions.ts';

describe('a TCP session', () => {
  test('passes bytes both ways as they are', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    client.write(Buffer.from([0, 255, 10, 13]));
    const service = await origin.connection();
    expect(await service.readExactly(4)).toEqual(Buffer.from([0, 255, 10, 13]));
    service.write('hello');
    expect((await client.readExactly(5)).toString()).toBe('hello');
  });

  test('lets the service speak first', async () => {
    const { origin, edge } = await spliced();
    origin.script = (connection) => connection.write('220 ready');
    const client = await edge.connect();
    expect((await client.readExactly(9)).toString()).toBe('220 ready');
  });

  test('passes the end of the client on, and what the service says after it', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    client.write('question');
    client.end();
    const service = await origin.connection();
    expect((await service.readAll()).toString()).toBe('question');
    expect(service.ending).toBe('end');
    await quiet();
    service.write('answer');
    service.end();
    expect((await client.readAll()).toString()).toBe('answer');
    expect(client.ending).toBe('end');
    await until(() => edge.sessions.length === 1, 'a record');
    expect(edge.sessions).toMatchObject([
      { ending: 'complete', bytesIn: 8, bytesOut: 6, endpoint: `127.0.0.1:${origin.port}` },
    ]);
    expect(await edge.service()).toMatchObject({ inFlight: 0 });
  });

  test('passes the end of the service on, and what the client says after it', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    service.write('bye');
    service.end();
    expect((await client.readAll()).toString()).toBe('bye');
    client.write('late');
    client.end();
    expect((await service.readAll()).toString()).toBe('late');
    await until(() => edge.sessions.length === 1, 'a record');
    expect(edge.sessions).toMatchObject([{ ending: 'complete', bytesIn: 4, bytesOut: 3 }]);
  });

  test.each(['client', 'service'] as const)(
    'whose %s ends last, with much to say, loses nothing of it',
    async (last) => {
      const { origin, edge } = await spliced();
      const client = await edge.connect();
      const service = await origin.connection();
      const [first, second] = last === 'client' ? [service, client] : [client, service];
      first.socket.pause();
      first.end();
      await until(() => second.ending === 'end', 'the first end');
      second.write(Buffer.alloc(4_000_000, 'x'));
      second.end();
      first.socket.resume();
      expect(await first.readAll()).toHaveLength(4_000_000);
      await until(() => edge.sessions.length === 1, 'a record');
      expect(edge.sessions).toMatchObject([{ ending: 'complete' }]);
    },
  );

  test('resets the service when the client resets', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    client.socket.resetAndDestroy();
    await until(() => service.ending === 'reset', 'a reset at the service');
    expect(edge.sessions).toMatchObject([{ ending: 'client-left' }]);
  });

  test('resets the client when the service resets', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    service.socket.resetAndDestroy();
    await until(() => client.ending === 'reset', 'a reset at the client');
    expect(edge.sessions).toMatchObject([{ ending: 'upstream-broke' }]);
  });
});
