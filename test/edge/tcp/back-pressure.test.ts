import { describe, expect, test } from 'vitest';
import { quiet, until } from '../wire.ts';
import { spliced } from './sessions.ts';

/** What the kernel may hold on one connection of the loopback, and what we may, generously. */
const KERNEL_BYTES = 24 * 2 ** 20;
const OWN_BYTES = 256 * 1024;
const ALL = 48 * 2 ** 20;

describe('a TCP session whose one side is slow', () => {
  test('reads no more of the service than the client takes', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    client.socket.pause();
    const all = Buffer.alloc(ALL, 'd');
    service.write(all);
    await until(() => edge.waiting(client) > 0, 'bytes that wait for the client');
    await quiet(200);
    expect(edge.waiting(client)).toBeLessThanOrEqual(OWN_BYTES);
    expect(service.socket.writableLength).toBeGreaterThan(ALL - KERNEL_BYTES - OWN_BYTES);
    client.socket.resume();
    expect((await client.readExactly(ALL)).equals(all)).toBe(true);
  });

  test('reads no more of the client than the service takes', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    service.socket.pause();
    const all = Buffer.alloc(ALL, 'u');
    client.write(all);
    await quiet(300);
    expect(client.socket.writableLength).toBeGreaterThan(ALL - KERNEL_BYTES - OWN_BYTES);
    service.socket.resume();
    expect((await service.readExactly(ALL)).equals(all)).toBe(true);
  });

  test('loses nothing when both send at once and end', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    const [up, down] = [Buffer.alloc(ALL / 6), Buffer.alloc(ALL / 6)];
    for (let at = 0; at < up.length; at += 4) {
      up.writeUInt32BE(at, at);
      down.writeUInt32BE(up.length - at, at);
    }
    client.write(up);
    service.write(down);
    client.end();
    service.end();
    const [gotDown, gotUp] = await Promise.all([client.readAll(), service.readAll()]);
    expect([gotUp.equals(up), gotDown.equals(down)]).toEqual([true, true]);
    await until(() => edge.sessions.length === 1, 'a record');
    expect(edge.sessions).toMatchObject([{ ending: 'complete', bytesIn: up.length, bytesOut: down.length }]);
  });

  test('is reset towards the client when the service resets, however much waits', async () => {
    const { origin, edge } = await spliced();
    const client = await edge.connect();
    const service = await origin.connection();
    client.socket.pause();
    service.write(Buffer.alloc(ALL));
    await until(() => edge.waiting(client) > 0, 'bytes that wait for the client');
    service.socket.resetAndDestroy();
    client.socket.resume();
    await until(() => client.ending === 'reset', 'a reset');
  });
});
