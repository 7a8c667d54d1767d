import { createServer } from 'node:net';

/** Below the kernel's range for outgoing connections, which could take a port between its choice and its use. */
const LOWEST = 20_000;
/** Test files that run at the same time have ports of their own, and so has who is no test file. */
const PARTS = 8;
const COUNT = 1250;
const FIRST = LOWEST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % PARTS) * COUNT;

/** Random at first: what an earlier file left may still use some. Then in turn, so that none is handed out twice. */
let next = Math.floor(Math.random() * COUNT);

/** A loopback TCP port that nobody listens on, and that nobody else is given. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < COUNT; attempt++) {
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${FIRST + COUNT}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
