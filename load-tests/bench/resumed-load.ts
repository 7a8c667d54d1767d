import { createHistogram } from 'node:perf_hooks';
import { type ConnectionOptions, connect, createSecureContext, type TLSSocket } from 'node:tls';
import { GROUP } from './proxies/subject.ts';
import type { Sample } from './sample.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/**
 * A TLS connection for each request, so many at once, all of them with the ticket of one session. Latency counts from
 * the connect to the end of the answer. A connection whose session is not resumed has failed.
 */
export async function runResumed(
  port: number,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Sample> {
  const secureContext = createSecureContext({ minVersion: 'TLSv1.3', ecdhCurve: GROUP });
  const options = { port, host: '127.0.0.1', secureContext, rejectUnauthorized: false, servername: 'localhost' };
  const resuming = { ...options, session: await ticketOf(options) };
  const micros = createHistogram();
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let failed = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let at = performance.now(); at < endsAt; at = performance.now()) {
        if (await isAnswered(resuming)) micros.record(Math.max(1, Math.round((performance.now() - at) * 1000)));
        else failed++;
      }
    }),
  );
  const took = (performance.now() - startedAt) / 1000;
  const [p50, p99] = [micros.percentile(50) / 1000, micros.percentile(99) / 1000];
  return { requests: micros.count, seconds: took, p50, p99, failed };
}

/** The session that a first connection, with its request, gets. */
function ticketOf(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let ticket: Buffer | undefined;
    const socket = ask(options);
    socket.on('session', (session) => {
      ticket = session;
    });
    socket.resume();
    socket.on('error', reject);
    socket.on('close', () => (ticket === undefined ? reject(new Error('no session ticket came')) : resolve(ticket)));
  });
}

/** Makes one connection with its request. @returns whether its session was resumed and the answer is a whole 200 */
function isAnswered(options: ConnectionOptions): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = '';
    let hasEnded = false;
    let isResumed = false;
    const socket = ask(options);
    socket.on('secureConnect', () => {
      isResumed = socket.isSessionReused();
    });
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
    });
    socket.on('end', () => {
      hasEnded = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(hasEnded && isResumed && answer.startsWith('HTTP/1.1 200 ')));
  });
}

function ask(options: ConnectionOptions): TLSSocket {
  const socket = connect(options);
  socket.setNoDelay(true);
  socket.write(REQUEST);
  return socket;
}
