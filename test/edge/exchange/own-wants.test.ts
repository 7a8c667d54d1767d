import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { Shortage } from '../../../src/edge/io/shortage.ts';
import type { UpstreamFailure, UpstreamOpener } from '../../../src/edge/upstream/carrier.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import type { HttpProxyEngine } from '../../../src/edge/upstream/http-proxy-engine.ts';
import { transportOf } from '../../../src/edge/upstream/transport.ts';
import { UpstreamConnection } from '../../../src/edge/upstream/upstream-connection.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { isOwnWant } from '../../../src/util/own-wants.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

/** How a connection fails that cannot be made for this reason. */
async function failure(code: string, wasReached: boolean): Promise<UpstreamFailure> {
  const endpoint = new Endpoint({ id: 'e', host: '127.0.0.1', port: 1, state: 'ready', weight: 1, start: null });
  endpoint.wasReached = wasReached;
  const [socket] = duplexPair();
  const engine = { connect: () => socket } as unknown as HttpProxyEngine;
  endpoint.connectThrough(transportOf(undefined, engine, undefined));
  return new Promise((resolve) => {
    const opener = { onUpstreamFailure: (_: unknown, how: UpstreamFailure) => resolve(how) };
    new UpstreamConnection(endpoint, opener as unknown as UpstreamOpener);
    socket.destroy(Object.assign(new Error(code), { code, syscall: 'connect' }));
  });
}

test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EACCES', 'EPERM', 'EAGAIN'])(
  '%s is our own want',
  async (code) => {
    expect(await failure(code, false)).toBe('want');
  },
);

test('no local port is our own want, where the address was ever reached; else there is none of its kind here', async () => {
  expect(await failure('EADDRNOTAVAIL', true)).toBe('want');
  expect(await failure('EADDRNOTAVAIL', false)).toBe('refused');
});

test.each(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'])('%s is not', async (code) => {
  expect(isOwnWant(code)).toBe(false);
  expect(await failure(code, true)).not.toBe('want');
});

test('it is said at once, then once a minute with the number', () => {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const logger = { ...silentLogger, error: (_: object, message: string) => void lines.push(message) };
  const shortage = new Shortage(clock, logger, 256);
  for (let i = 0; i < 500; i++) shortage.note('EMFILE', '10.0.0.1:80');
  clock.advance(60_000);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('no file descriptor left of 256 (EMFILE, last for 10.0.0.1:80)');
  shortage.note('EMFILE', '10.0.0.2:80');
  expect(lines[1]).toMatch(/^500 connections not made: /);
});
