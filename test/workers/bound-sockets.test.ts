import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  assignSockets,
  type BoundSocket,
  bindSockets,
  inheritSockets,
  nameOf,
} from '../../src/workers/bound-sockets.ts';

const LOOPBACK = '127.0.0.1';

async function bind(port = 0, count = 1): Promise<{ sockets: BoundSocket[]; port: number }> {
  const { sockets, address } = await bindSockets({ host: LOOPBACK, port }, count);
  onTestFinished(() => {
    for (const socket of sockets) socket.close();
  });
  return { sockets, port: address.port };
}

test('all sockets of an address have the same port', async () => {
  const { sockets, port } = await bind(0, 3);
  expect(sockets.map((socket) => nameOf(socket))).toEqual(Array(3).fill({ address: LOOPBACK, port }));
  expect(new Set(sockets.map(({ fd }) => fd)).size).toBe(3);
});

test.each([
  ['in use', async () => listening(), 'ADDRESS_IN_USE'],
  ['of another machine', async () => ({ host: '192.0.2.1', port: 1 }), 'ADDRESS_FORBIDDEN'],
  // A name that cannot be one, so that no name server is asked.
  ['of no machine', async () => ({ host: 'no..host', port: 1 }), 'ADDRESS_FORBIDDEN'],
] as const)('an address %s is refused by name', async (_, address, code) => {
  await expect(bindSockets(await address(), 2)).rejects.toMatchObject({ code });
});

async function listening(): Promise<{ host: string; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  onTestFinished(() => void server.close());
  return { host: LOOPBACK, port: (server.address() as { port: number }).port };
}

test('what is inherited is told from what is no socket, and knows its address', async () => {
  // Without a clean-up of its own: the descriptor is the other's, then.
  const { sockets, address } = await bindSockets({ host: LOOPBACK, port: 0 }, 1);
  const file = openSync(import.meta.filename, 'r');
  onTestFinished(() => closeSync(file));
  const [socket, ...others] = inheritSockets([sockets[0]?.fd ?? -1, file, 9999]);
  expect(others).toEqual([]);
  expect(socket && nameOf(socket)).toEqual({ address: LOOPBACK, port: address.port });
  socket?.close();
});

test('sockets go to the addresses that they are bound to; port 0 takes one port of what is left', async () => {
  const [fixed, free, rest] = [await bind(0, 2), await bind(0, 2), await bind()];
  const addresses = [
    { host: LOOPBACK, port: 0 },
    { host: 'localhost', port: fixed.port },
    { host: LOOPBACK, port: 1 },
  ];
  const { assigned, left } = await assignSockets(addresses, [...free.sockets, ...fixed.sockets, ...rest.sockets]);
  expect(assigned.get(`${LOOPBACK} 0`)).toEqual(free.sockets);
  expect(assigned.get(`localhost ${fixed.port}`)).toEqual(fixed.sockets);
  expect(assigned.has(`${LOOPBACK} 1`)).toBe(false);
  expect(left).toEqual(rest.sockets);
});
