/**
 * Large bodies through the proxy, down and up, with a length and chunked: whether they arrive whole, how fast, what they
 * cost, and how far the resident memory of the proxy grows while they pass. Exits 1 when one did not.
 *
 * Usage: `npm run load:large [-- MIB]` (1024 MiB unless told).
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import Table from 'cli-table3';
import { countsFrom } from './support/arguments.ts';
import { Dechunker } from './support/dechunker.ts';
import { cpuMicros, pinSelf, residentMiB, stopAll } from './support/process.ts';
import { startProxy } from './support/proxy.ts';

const MIB = 1024 * 1024;
const [mib] = countsFrom('usage: npm run load:large [-- MIB]', 1024);
const size = mib * MIB;
const CORES = { proxy: 0, load: 1 };
const WARM_UP = 64;
const SAMPLE_MS = 20;
const PIECE = Buffer.alloc(256 * 1024, 'what a large body is made of, over and over again; ');

interface Result {
  name: string;
  whole: boolean;
  seconds: number;
  cpuSeconds: number;
  /** MiB: before, and the most of all samples while it passed. */
  before: number;
  peak: number;
}

const folder = await mkdtemp(join(tmpdir(), 'pilotlight-bodies-'));
try {
  pinSelf(CORES.load);
  const proxy = await startProxy(folder, 'large.mjs', CORES);
  // So that what is measured is not the program's own growing up: its code is compiled, its heap has its size.
  for (let i = 0; i < WARM_UP; i++) await download(proxy.port, MIB / 4, i % 2 === 0 ? '' : '/chunked');
  const results = [
    await measure(proxy.pid, 'down, with a length', () => download(proxy.port, size, '')),
    await measure(proxy.pid, 'down, chunked', () => download(proxy.port, size, '/chunked')),
    await measure(proxy.pid, 'up, with a length', () => upload(proxy.port, size, false)),
    await measure(proxy.pid, 'up, chunked', () => upload(proxy.port, size, true)),
  ];
  print(results);
  process.exitCode = results.every(({ whole }) => whole) ? 0 : 1;
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

async function measure(pid: number, name: string, transfer: () => Promise<boolean>): Promise<Result> {
  await sleep(500);
  const [before, cpu, startedAt] = [residentMiB(pid), cpuMicros(pid), performance.now()];
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentMiB(pid));
  }, SAMPLE_MS);
  const whole = await transfer();
  clearInterval(sampler);
  peak = Math.max(peak, residentMiB(pid));
  const seconds = (performance.now() - startedAt) / 1000;
  return { name, whole, seconds, cpuSeconds: (cpuMicros(pid) - cpu) / 1e6, before, peak };
}

/** @returns whether all bytes came, and no others */
async function download(port: number, bytes: number, suffix: string): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET /${bytes}${suffix} HTTP/1.1\r\nHost: large\r\nConnection: close\r\n\r\n`);
  let received = 0;
  let sum = 0;
  let head: Buffer<ArrayBuffer> | undefined = Buffer.from('');
  const body = suffix === '' ? undefined : new Dechunker();
  const take = (piece: Buffer) => {
    received += piece.length;
    sum = crc32(piece, sum);
  };
  socket.on('data', (chunk) => {
    let data = chunk;
    if (head !== undefined) {
      const gathered: Buffer<ArrayBuffer> = Buffer.concat([head, chunk]);
      const end = gathered.indexOf('\r\n\r\n');
      head = end < 0 ? gathered : undefined;
      if (end < 0) return;
      data = gathered.subarray(end + 4);
    }
    if (body === undefined) take(data);
    else body.read(data, take);
  });
  await once(socket, 'close');
  return received === bytes && sum === expectedSum(bytes) && (body === undefined || body.ended);
}

async function upload(port: number, bytes: number, chunked: boolean): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`;
  socket.write(`POST / HTTP/1.1\r\nHost: large\r\nConnection: close\r\n${framing}\r\n\r\n`);
  for (let left = bytes; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    if (chunked) socket.write(`${piece.length.toString(16)}\r\n`);
    await drained(socket, socket.write(piece));
    if (chunked) socket.write('\r\n');
  }
  if (chunked) socket.write('0\r\n\r\n');
  await once(socket, 'close');
  return answer.startsWith('HTTP/1.1 200 ') && answer.includes(`\r\n\r\n${bytes} ${expectedSum(bytes)}`);
}

async function drained(socket: Socket, ready: boolean): Promise<void> {
  if (ready || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

function expectedSum(bytes: number): number {
  let sum = 0;
  for (let left = bytes; left > 0; left -= PIECE.length) sum = crc32(PIECE.subarray(0, left), sum);
  return sum;
}

function print(results: readonly Result[]): void {
  console.log(`bodies of ${size / MIB} MiB, Node ${process.version}, ${process.platform} ${process.arch}\n`);
  const head = ['', 'whole', 'MiB/s', 'CPU µs/MiB', 'RSS before MiB', 'peak MiB', 'growth MiB'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { name, whole, seconds, cpuSeconds, before, peak } of results) {
    const mib = size / MIB;
    table.push([
      name,
      whole ? 'yes' : 'NO',
      (mib / seconds).toFixed(0),
      ((cpuSeconds * 1e6) / mib).toFixed(0),
      before.toFixed(1),
      peak.toFixed(1),
      (peak - before).toFixed(1),
    ]);
  }
  console.log(table.toString());
}
