import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { readShared, sharedReadBuffer } from '../../../src/edge/io/shared-read.ts';
import { disown, own, ownerOf, type SocketOwner } from '../../../src/edge/io/socket-owner.ts';
import { until } from '../../support/until.ts';

/** Two ends of a connection: the one that was accepted, and its client. */
async function pair(): Promise<{ accepted: Socket; client: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { accepted, client };
}

function recorder(said: string[], name = ''): SocketOwner {
  return {
    onDrain: () => void said.push(`${name}drain`),
    onEnd: () => void said.push(`${name}end`),
    onFinish: () => void said.push(`${name}finish`),
    onError: (error) => void said.push(`${name}${error.code}`),
    onClosed: () => void said.push(`${name}closed`),
  };
}

test('a stream that is no socket, and closes first, does not keep sockets from the shared buffer', async () => {
  const stream = new PassThrough();
  own(stream, recorder([]));
  stream.destroy();
  await once(stream, 'close');

  const { accepted, client } = await pair();
  let read: Buffer | undefined;
  readShared(accepted, (bytes) => {
    read = bytes;
  });
  client.write('x');
  await until('the byte is here', () => read !== undefined);
  expect(read).toBe(sharedReadBuffer);
});

test('an owner hears of the end and the close, and a closed socket knows no owner', async () => {
  const { accepted, client } = await pair();
  const said: string[] = [];
  own(accepted, recorder(said));
  accepted.resume();
  client.end();
  await until('the end is told', () => said.includes('end'));
  accepted.end();
  await until('the close is told', () => said.includes('closed'));
  expect(said).toEqual(['end', 'finish', 'closed']);
  expect(ownerOf(accepted)).toBeUndefined();
});

test('an error is told before the close', async () => {
  const { accepted } = await pair();
  const said: string[] = [];
  own(accepted, recorder(said));
  accepted.destroy(Object.assign(new Error('broken'), { code: 'EPIPE' }));
  await until('the close is told', () => said.includes('closed'));
  expect(said).toEqual(['EPIPE', 'closed']);
});

test('after one owner gave it up, another is told, once', async () => {
  const { accepted, client } = await pair();
  const said: string[] = [];
  own(accepted, recorder(said, 'first '));
  disown(accepted);
  own(accepted, recorder(said, 'second '));
  accepted.resume();
  client.end();
  await until('the end is told', () => said.length > 0);
  accepted.destroy();
  await once(accepted, 'close');
  expect(said).toEqual(['second end', 'second closed']);
});

test('an error of a socket that nobody owns any more is no defect', async () => {
  const { accepted } = await pair();
  const said: string[] = [];
  own(accepted, recorder(said));
  disown(accepted);
  accepted.destroy(new Error('broken'));
  await until('it is closed', () => accepted.closed);
  expect(said).toEqual([]);
});
