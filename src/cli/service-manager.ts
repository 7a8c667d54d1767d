import { execFile } from 'node:child_process';
import type { Terminal } from './terminal.ts';

/** How long systemd may take to read what it is told, ms. */
const NOTIFY_MS = 5000;

/**
 * What systemd is told of this process, where it started it with `Type=notify` (sd_notify(3)). Node cannot write to its
 * socket, a datagram socket with a path: `systemd-notify` can, and ends when systemd has read it, so that it is known
 * whose message it was. That needs `NotifyAccess=all`.
 */
interface ServiceManager {
  /** Requests are taken, and this is the process to watch. Resolves when systemd has read it. Never rejects. */
  ready(): Promise<void>;
  /** It is about to end. Never rejects. */
  stopping(): Promise<void>;
}

export function serviceManager({ env, err }: Terminal): ServiceManager {
  const tell = (...lines: string[]): Promise<void> =>
    new Promise((resolve) => {
      if (env['NOTIFY_SOCKET'] === undefined) {
        resolve();
        return;
      }
      execFile('systemd-notify', lines, { env, timeout: NOTIFY_MS }, (failure) => {
        if (failure !== null) {
          const why = failure.code === 'ENOENT' ? 'it is not installed' : `it failed (${failure.code ?? 'too slow'})`;
          err(`pilotlight: systemd is not told ${lines[0]}, which takes systemd-notify: ${why}`);
        }
        resolve();
      });
    });
  return {
    ready: () => tell('READY=1', `MAINPID=${process.pid}`),
    stopping: () => tell('STOPPING=1'),
  };
}
