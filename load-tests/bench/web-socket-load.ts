import { connect, type Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import type { Sample } from './sample.ts';

const PAYLOAD_BYTES = 64;
/** A whole text message of that length, masked with zeros, which leave it as it is. */
const MESSAGE = Buffer.concat([
  Buffer.from([0x81, 0x80 | PAYLOAD_BYTES, 0, 0, 0, 0]),
  Buffer.alloc(PAYLOAD_BYTES, 'x'),
]);
/** Its echo has no mask. */
const ECHO_BYTES = 2 + PAYLOAD_BYTES;
const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n');

/** Sends a message on each of so many WebSockets, and the next one when its echo is back. */
export async function runWebSockets(
  port: number,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Sample> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const micros = createHistogram();
  let failed = 0;
  for (const socket of sockets) {
    pingPong(socket, (took) => micros.record(Math.max(1, Math.round(took * 1000))));
    socket.once('close', () => failed++);
  }
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - startedAt) / 1000;
  const lost = failed;
  for (const socket of sockets) socket.destroy();
  const [p50, p99] = [micros.percentile(50) / 1000, micros.percentile(99) / 1000];
  return { requests: micros.count, seconds: took, p50, p99, failed: lost };
}

/** Messages and echoes on one socket for as long as it is open; tells how long each took, ms. */
function pingPong(socket: Socket, onEcho: (took: number) => void): void {
  let missing = ECHO_BYTES;
  let sentAt = performance.now();
  socket.on('data', (chunk) => {
    missing -= chunk.length;
    if (missing > 0) return;
    onEcho(performance.now() - sentAt);
    missing = ECHO_BYTES;
    sentAt = performance.now();
    socket.write(MESSAGE);
  });
  socket.write(MESSAGE);
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return new Promise((resolve, reject) => {
    let head = '';
    const onData = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      if (head.startsWith('HTTP/1.1 101 ')) resolve(socket);
      else reject(new Error(`the upgrade was answered ${head.slice(0, head.indexOf('\r'))}`));
    };
    socket.on('data', onData).on('error', reject);
    socket.write(HANDSHAKE);
  });
}
