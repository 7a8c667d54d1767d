/** A worker of its own kind: answers every connection with its name, and ends for who sends `die`. */
import { createServer, type Server } from 'node:net';
import type { EdgeMessage } from '../../src/model/link.ts';
import { serveWorker } from '../../src/workers/serve-worker.ts';

await serveWorker(process, async ({ name, accessLog }, link) => {
  if (accessLog?.file === '/cannot/be/opened') throw new Error('no such file');
  let servers: Server[] = [];
  const report: EdgeMessage = {
    type: 'report',
    collect: null,
    spanMs: 1000,
    services: [],
    connections: 0,
    unrouted: [],
    accessLost: 0,
  };
  setInterval(() => link.post(report), 1000).unref();
  link.onMessage(() => link.post({ type: 'probed', probe: name, ok: true, host: '127.0.0.1' }));
  return {
    async listen(_listeners, bound) {
      for (const socket of [...bound.values()].flat()) {
        const server = createServer((connection) => {
          connection.on('error', () => undefined);
          connection.on('data', (data) => {
            if (data.toString() === 'die') process.exit(3);
            connection.end(`${name} ${process.pid}`);
          });
        });
        await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
        servers.push(server);
      }
      return [];
    },
    async drain() {
      for (const server of servers) server.close();
      servers = [];
    },
    reopenLog: async () => undefined,
    setLogLevel: () => undefined,
    close: async () => undefined,
  };
});
process.exit(0);
