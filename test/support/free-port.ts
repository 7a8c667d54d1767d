import { createServer } from 'node:net';

/** Below the kernel's range for outgoing connections, which could take a port between its choice and its use. */
const LOWEST = 20_000;
const COUNT = 10_000;

/** A loopback TCP port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${LOWEST + COUNT}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
