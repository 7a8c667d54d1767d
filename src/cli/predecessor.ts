import type { HandedOver } from '../model/hand-over.ts';
import { type FromSuccessor, SUCCESSOR_VARIABLE, type ToSuccessor } from './handover-protocol.ts';
import type { Predecessor } from './running-proxy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The process that started this one to be replaced by it; undefined where there is none.
 * @param ready announces this process: the one before must not end before whoever watches it watches this one
 */
export function predecessorOf(env: Environment, ready: () => Promise<void>): Predecessor | undefined {
  if (env[SUCCESSOR_VARIABLE] === undefined || !process.connected) return undefined;
  const say = (message: FromSuccessor) => {
    if (process.connected) process.send?.(message);
  };
  const gone = new Promise<void>((resolve) => process.once('disconnect', resolve));
  const taken = new Promise<Partial<HandedOver>>((resolve) => {
    process.on('message', (message: ToSuccessor) => {
      if (message.type === 'take') resolve(message);
    });
  });
  return {
    gone,
    async letGo() {
      say({ type: 'booting' });
      return (await Promise.race([taken, gone])) ?? undefined;
    },
    serving(wake) {
      process.on('message', (message: ToSuccessor) => {
        if (message.type === 'wake') wake(message.service);
      });
      void ready().then(() => say({ type: 'serving' }));
    },
  };
}

/** First descriptor that is passed on: sd_listen_fds(3). */
const FIRST = 3;

/**
 * Descriptors of the listening sockets that this process was started with, by systemd or by the process that it
 * replaces. LISTEN_PID names another process where the variables were only inherited.
 */
export function inheritedDescriptors(env: Environment, pid: number): number[] {
  const { LISTEN_FDS: count = '', LISTEN_PID: owner } = env;
  // A predecessor cannot know our pid before it has started us.
  const isOurs = owner === String(pid) || (owner === undefined && env[SUCCESSOR_VARIABLE] !== undefined);
  if (!isOurs || !/^\d{1,4}$/.test(count)) return [];
  return Array.from({ length: Number(count) }, (_, index) => FIRST + index);
}
