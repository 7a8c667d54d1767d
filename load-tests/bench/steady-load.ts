import { connect, type Socket } from 'node:net';
import { createHistogram } from 'node:perf_hooks';
import type { Sample } from './sample.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** How the upstream's body ends, and no head does. */
const END = 'x\n';
/** Requests are sent in so many ms: timers are no finer. */
const STEP_MS = 1;

interface Steady {
  connections: number;
  seconds: number;
  /** Requests per second, evenly spaced, whether or not earlier ones were answered. */
  rate: number;
}

/**
 * An open-loop load on keep-alive connections. Latency counts from when a request was due, so that what waits for a free
 * connection while the proxy stalls is not left out.
 */
export async function runSteady(port: number, { connections, seconds, rate }: Steady): Promise<Sample> {
  const micros = createHistogram();
  const waiting: number[] = [];
  const idle: Socket[] = [];
  const dueAt = new Map<Socket, number>();
  let lost = 0;

  const send = (socket: Socket, due: number): void => {
    dueAt.set(socket, due);
    socket.write(REQUEST);
  };
  const onAnswer = (socket: Socket): void => {
    micros.record(Math.max(1, Math.round((performance.now() - (dueAt.get(socket) ?? 0)) * 1000)));
    dueAt.delete(socket);
    const next = waiting.shift();
    if (next === undefined) idle.push(socket);
    else send(socket, next);
  };
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  for (const socket of sockets) {
    idle.push(socket);
    socket.on('data', (chunk) => chunk.toString('latin1', chunk.length - END.length) === END && onAnswer(socket));
    socket.once('close', () => lost++);
  }

  const startedAt = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = performance.now() - startedAt;
      for (; sent < Math.floor((Math.min(elapsed, seconds * 1000) * rate) / 1000); sent++) {
        const due = startedAt + Math.floor((sent * 1000) / rate / STEP_MS) * STEP_MS;
        const socket = idle.pop();
        if (socket === undefined) waiting.push(due);
        else send(socket, due);
      }
      if (elapsed < seconds * 1000) return;
      clearInterval(timer);
      resolve();
    }, STEP_MS);
  });
  const took = (performance.now() - startedAt) / 1000;
  // What is still under way has waited so long at least.
  for (const due of [...waiting, ...dueAt.values()])
    micros.record(Math.max(1, Math.round((performance.now() - due) * 1000)));
  const failed = lost;
  for (const socket of sockets) socket.destroy();
  const [p50, p99] = [micros.percentile(50) / 1000, micros.percentile(99) / 1000];
  return { requests: sent - waiting.length - dueAt.size, seconds: took, p50, p99, failed };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}
