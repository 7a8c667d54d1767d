import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { JOIN_BYTES, mayJoin, writeJoined } from '../../../src/edge/io/joined-write.ts';

/** Two ends of a connection; the far one reads nothing until it is told to. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise((resolve) => server.once('listening', resolve));
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [far] = await Promise.all([accepted, once(near, 'connect')]);
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  for await (const chunk of socket) text += chunk;
  return text;
}

test('a head, chunks and the end arrive as one message', async () => {
  const { near, far } = await pair();
  writeJoined(near, 'HEAD ', [Buffer.from('first'), Buffer.from('and more')], true, '0\r\n\r\n');
  near.end();
  expect(await readAll(far)).toBe('HEAD 5\r\nfirst\r\n8\r\nand more\r\n0\r\n\r\n');
});

test('what the kernel does not take at once is not overwritten by the next message', async () => {
  const [slow, other] = [await pair(), await pair()];
  const read = readAll(other.far);
  let expected = '';
  for (let i = 0; slow.near.writableLength < 5 * JOIN_BYTES; i++) {
    const piece = Buffer.alloc(60_000, 65 + (i % 26));
    writeJoined(slow.near, `${i} `, [piece], false, '');
    writeJoined(other.near, 'other ', [Buffer.alloc(60_000, 48)], false, '');
    expected += `${i} ${piece.toString('latin1')}`;
    // The kernel takes megabytes first, and only between turns.
    if (i % 16 === 15) await new Promise((resolve) => setImmediate(resolve));
  }
  slow.near.end();
  expect((await readAll(slow.far)) === expected).toBe(true);
  other.near.end();
  await read;
});

test('what is too long for it, or no socket, is not joined', async () => {
  const { near } = await pair();
  expect(mayJoin(near, JOIN_BYTES - 100, 1)).toBe(true);
  expect(mayJoin(near, JOIN_BYTES, 1)).toBe(false);
  expect(mayJoin(new PassThrough(), 100, 1)).toBe(false);
});
