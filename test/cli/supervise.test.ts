import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunningProxy } from '../../src/cli/running-proxy.ts';
import { type Supervised, supervise } from '../../src/cli/supervise.ts';
import type { Logger } from '../../src/model/observe.ts';
import type { ReloadResult } from '../../src/model/reload.ts';
import type { ControlApi } from '../../src/model/status.ts';
import { until } from '../support/until.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';

const SOURCE = { file: '/a.yaml', modified: null };
const RELOADED: ReloadResult = { ...SOURCE, reloaded: false, problems: ['nothing is read here'] };

/** A proxy that remembers what happened to it, in order, and stops when told that it may. */
class FakeProxy implements RunningProxy {
  api = {} as ControlApi;
  readonly happened: string[] = [];
  readonly listening = [];
  readonly sockets = [];
  readonly handedOver = { ticketKeys: { keys: '', madeAt: 0 }, endpoints: [], byHand: [], declarations: [] };
  readonly admin = { host: '127.0.0.1', port: 9400 };
  readonly #release = Promise.withResolvers<void>();
  readonly logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields, message) => void this.happened.push(`error ${'code' in fields ? fields.code : ''} ${message}`),
  };

  async alone(): Promise<void> {}

  async letGo(): Promise<void> {
    this.happened.push('let go');
  }

  async resume(): Promise<void> {
    this.happened.push('resume');
  }

  async reload(): Promise<ReloadResult> {
    this.happened.push('reload');
    return RELOADED;
  }

  refuseReload(): ReloadResult {
    this.happened.push('refuse');
    return RELOADED;
  }

  async stop(hurry: AbortSignal): Promise<void> {
    this.happened.push('stop');
    hurry.addEventListener('abort', () => this.happened.push('hurry'));
    await this.#release.promise;
    this.happened.push('stopped');
  }

  mayStop(): void {
    this.#release.resolve();
  }
}

const before = process.eventNames().map((name) => [name, process.listenerCount(name)]);

afterEach(() => {
  // The handlers are gone, so that a signal to whoever used this code does what it did before.
  for (const [name, count] of before) expect([name, process.listenerCount(name as string)]).toEqual([name, count]);
});

function start(changes: Partial<Supervised> = {}): {
  proxy: FakeProxy;
  terminal: FakeTerminal;
  ended: Promise<number>;
} {
  const proxy = new FakeProxy();
  const terminal = fakeTerminal();
  const boot = async () => {
    proxy.happened.push('boot');
    return proxy;
  };
  const ended = supervise(
    { boot, reload: (served) => served.reload({} as never, SOURCE), upgrade: undefined, ...changes },
    terminal,
  );
  return { proxy, terminal, ended };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 10));

describe('stopping', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s drains and exits 0', async (signal) => {
    const { proxy, ended } = start();
    await settled();
    process.emit(signal, signal);
    await until('stop', () => proxy.happened.includes('stop'));
    proxy.mayStop();
    expect(await ended).toBe(0);
    expect(proxy.happened).toEqual(['boot', 'stop', 'stopped']);
  });

  test('a second SIGINT cuts the drain short and exits 1 without waiting for it', async () => {
    const { proxy, terminal, ended } = start();
    await settled();
    process.emit('SIGINT', 'SIGINT');
    await until('stop', () => proxy.happened.includes('stop'));
    terminal.clock.advance(1000);
    process.emit('SIGINT', 'SIGINT');
    await until('hurry', () => proxy.happened.includes('hurry') && terminal.clock.pending === 1);
    terminal.clock.advance(500);
    expect(await ended).toBe(1);
    expect(proxy.happened).toEqual(['boot', 'stop', 'hurry']);
  });

  test('one SIGINT that arrives twice, and a second SIGTERM, do not', async () => {
    const { proxy, terminal, ended } = start();
    await settled();
    process.emit('SIGINT', 'SIGINT');
    terminal.clock.advance(100);
    process.emit('SIGINT', 'SIGINT');
    terminal.clock.advance(5000);
    process.emit('SIGTERM', 'SIGTERM');
    await until('stop', () => proxy.happened.includes('stop'));
    proxy.mayStop();
    expect(await ended).toBe(0);
    expect(proxy.happened).not.toContain('hurry');
  });

  test('while it boots, the boot is broken off and that is no failure', async () => {
    const boot = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const { ended } = start({ boot });
    await settled();
    process.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
  });

  test('a boot that fails is passed on', async () => {
    const { ended } = start({ boot: () => Promise.reject(new Error('in use')) });
    await expect(ended).rejects.toThrow('in use');
  });
});

describe('SIGHUP', () => {
  test('reloads, one at a time; those that come before one begins are one', async () => {
    const begun: PromiseWithResolvers<void>[] = [];
    let running = 0;
    let most = 0;
    const { proxy, ended } = start({
      reload: async (served) => {
        most = Math.max(most, ++running);
        const gate = Promise.withResolvers<void>();
        begun.push(gate);
        await gate.promise;
        running--;
        return served.reload({} as never, SOURCE);
      },
    });
    process.emit('SIGHUP', 'SIGHUP');
    await until('first', () => begun.length === 1);
    // The file may have changed since the first one read it.
    for (let i = 0; i < 3; i++) process.emit('SIGHUP', 'SIGHUP');
    begun[0]?.resolve();
    await until('second', () => begun.length === 2);
    begun[1]?.resolve();
    await until('reloads', () => proxy.happened.filter((what) => what === 'reload').length === 2);
    await settled();
    expect(begun).toHaveLength(2);
    expect(most).toBe(1);
    process.emit('SIGTERM', 'SIGTERM');
    proxy.mayStop();
    await ended;
  });

  test('is what the admin API asks for too, which is told what became of it', async () => {
    let ask: (() => Promise<ReloadResult>) | undefined;
    const begun = Promise.withResolvers<void>();
    const served = Promise.withResolvers<RunningProxy>();
    const { proxy, ended } = start({
      boot: (_, askReload) => {
        ask = askReload;
        return served.promise;
      },
      reload: async (running) => {
        begun.resolve();
        return running.reload({} as never, SOURCE);
      },
    });
    const asked = ask?.();
    process.emit('SIGHUP', 'SIGHUP');
    served.resolve(proxy);
    expect(await asked).toEqual(RELOADED);
    expect(proxy.happened.filter((what) => what === 'reload')).toHaveLength(1);
    process.emit('SIGTERM', 'SIGTERM');
    await expect(ask?.()).rejects.toMatchObject({ code: 'CANCELLED' });
    proxy.mayStop();
    await ended;
  });

  test('while it boots waits until it serves', async () => {
    const booted = Promise.withResolvers<RunningProxy>();
    const { proxy, ended } = start({ boot: () => booted.promise });
    process.emit('SIGHUP', 'SIGHUP');
    await settled();
    expect(proxy.happened).toEqual([]);
    booted.resolve(proxy);
    await until('reload', () => proxy.happened.includes('reload'));
    process.emit('SIGTERM', 'SIGTERM');
    proxy.mayStop();
    await ended;
  });

  test('a reload that throws is logged, and the next one happens', async () => {
    let calls = 0;
    const { proxy, ended } = start({
      reload: async (served) => {
        if (calls++ === 0) throw new Error('odd');
        return served.reload({} as never, SOURCE);
      },
    });
    await settled();
    process.emit('SIGHUP', 'SIGHUP');
    await until('error', () => proxy.happened.length > 1);
    process.emit('SIGHUP', 'SIGHUP');
    await until('reload', () => proxy.happened.includes('reload'));
    expect(proxy.happened[1]).toMatch(/^error INTERNAL .*odd/);
    process.emit('SIGTERM', 'SIGTERM');
    proxy.mayStop();
    await ended;
  });

  test('stops what has nothing to reload', async () => {
    const { proxy, ended } = start({ reload: undefined });
    await settled();
    process.emit('SIGHUP', 'SIGHUP');
    proxy.mayStop();
    expect(await ended).toBe(0);
  });
});

test('what nobody caught is logged with a code, and the proxy goes on', async () => {
  const { proxy, ended } = start();
  await settled();
  process.emit('uncaughtException', new TypeError('x is not a function'));
  process.emit('unhandledRejection', 'just a text', Promise.resolve());
  expect(proxy.happened.slice(1)).toEqual([
    'error INTERNAL uncaught error, traffic goes on: x is not a function',
    'error INTERNAL uncaught error, traffic goes on: just a text',
  ]);
  process.emit('SIGTERM', 'SIGTERM');
  proxy.mayStop();
  expect(await ended).toBe(0);
});

describe('upgrading', () => {
  test('stops this process once a successor serves', async () => {
    const { proxy, ended } = start({ upgrade: async () => 4_194_305 });
    await settled();
    process.emit('SIGUSR2', 'SIGUSR2');
    await until('stop', () => proxy.happened.includes('stop'));
    proxy.mayStop();
    expect(await ended).toBe(0);
  });

  test('a reload that is asked for meanwhile is the successor’s, which may have read its file before', async () => {
    const child = spawn(process.execPath, [
      '-e',
      'process.on("SIGHUP", () => process.exit(7)); setInterval(() => {}, 1e6); console.log()',
    ]);
    await once(child.stdout, 'data');
    const exited = once(child, 'exit');
    const serves = Promise.withResolvers<number | undefined>();
    const { proxy, ended } = start({ upgrade: () => serves.promise });
    await settled();
    process.emit('SIGUSR2', 'SIGUSR2');
    await settled();
    process.emit('SIGHUP', 'SIGHUP');
    serves.resolve(child.pid);
    expect(await exited).toEqual([7, null]);
    proxy.mayStop();
    expect(await ended).toBe(0);
    expect(proxy.happened).not.toContain('reload');
  });

  test('goes on when none does, and reloads only after that', async () => {
    const tried = Promise.withResolvers<undefined>();
    const { proxy, ended } = start({ upgrade: () => tried.promise });
    await settled();
    process.emit('SIGUSR2', 'SIGUSR2');
    process.emit('SIGHUP', 'SIGHUP');
    await settled();
    expect(proxy.happened).toEqual(['boot']);
    tried.resolve(undefined);
    await until('reload', () => proxy.happened.includes('reload'));
    process.emit('SIGTERM', 'SIGTERM');
    proxy.mayStop();
    await ended;
    expect(proxy.happened).toEqual(['boot', 'reload', 'stop', 'stopped']);
  });

  test('is broken off by a stop, which waits until the replicas are this process’s again', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const { proxy, ended } = start({
      upgrade: async (served, stop) => {
        asked.resolve(stop);
        await new Promise((resolve) => stop.addEventListener('abort', resolve));
        await settled();
        await served.resume('told to stop');
        return undefined;
      },
    });
    await settled();
    process.emit('SIGUSR2', 'SIGUSR2');
    await asked.promise;
    process.emit('SIGTERM', 'SIGTERM');
    proxy.mayStop();
    expect(await ended).toBe(0);
    expect(proxy.happened).toEqual(['boot', 'resume', 'stop', 'stopped']);
  });

  test('means nothing where there is nothing to upgrade to', async () => {
    const { proxy, ended } = start();
    await settled();
    process.emit('SIGUSR2', 'SIGUSR2');
    await settled();
    expect(proxy.happened).toEqual(['boot']);
    process.emit('SIGTERM', 'SIGTERM');
    proxy.mayStop();
    await ended;
  });
});
