import { createServer, type Socket } from 'node:net';
import type { Random } from '../../src/simulate/random.ts';
import type { ServiceTime } from '../../src/simulate/service-time.ts';

/** What all replicas of an app have so many of: a lock, or the connections of a database. */
export interface SharedResource {
  /** `host:port`, for MIMIC_DEPENDENCY. */
  address: string;
  close(): void;
}

/**
 * A server on which whoever connects waits for a turn, which takes a time of its own; then it closes the connection. Turns
 * are kept in a calendar, so that late timers take no capacity away.
 */
export async function shareResource(count: number, time: ServiceTime, random: Random): Promise<SharedResource> {
  const free = Array.from({ length: count }, () => 0);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    const now = performance.now();
    const turn = free.indexOf(Math.min(...free));
    const due = Math.max(now, free[turn] as number) + time.sample(random);
    free[turn] = due;
    setTimeout(() => socket.destroy(), due - now);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const close = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { address: `127.0.0.1:${port}`, close };
}
