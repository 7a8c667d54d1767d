import { PilotlightError, toPilotlightError } from '../model/errors.ts';
import type { ReloadResult } from '../model/reload.ts';
import { sleep } from '../util/clock.ts';
import { takeSignals } from '../util/early-signals.ts';
import type { RunningProxy } from './running-proxy.ts';
import type { Terminal } from './terminal.ts';

export interface Supervised {
  /**
   * Boots the proxy; rejects when the signal is aborted before it serves.
   * @param askReload does what SIGHUP does; rejects with CANCELLED when the proxy ends first
   */
  boot(signal: AbortSignal, askReload: () => Promise<ReloadResult>): Promise<RunningProxy>;
  /**
   * Called for every SIGHUP once the proxy serves, one at a time, and once for those that come before it could begin;
   * undefined: SIGHUP stops it like SIGTERM.
   */
  reload: ((proxy: RunningProxy) => Promise<ReloadResult>) | undefined;
  /**
   * Called for every SIGUSR2 once the proxy serves, one at a time with `reload`; the signal breaks it off at once.
   * @returns the process id of the successor when one serves: the proxy is stopped, then. Undefined: SIGUSR2 does
   *   nothing.
   */
  upgrade: ((proxy: RunningProxy, stop: AbortSignal) => Promise<number | undefined>) | undefined;
  /** Called when the proxy is to be stopped and no successor serves. */
  stopping?: () => void;
}

/** How long a hurried stop may take, ms. */
const HURRY_MS = 500;
/** A second SIGINT this soon is the same one: npm passes on what the terminal sent to both. Ms. */
const SAME_INTERRUPT_MS = 300;

/**
 * Runs a proxy until SIGTERM or SIGINT, drains it, and returns the exit code. A later SIGINT exits at once. What nobody
 * caught ends the process only while it boots: after that it is logged, and traffic to warm replicas goes on.
 */
export async function supervise({ boot, reload, upgrade, stopping }: Supervised, terminal: Terminal): Promise<number> {
  const stop = new AbortController();
  const hurry = new AbortController();
  let booting: Promise<RunningProxy> | undefined;
  let proxy: RunningProxy | undefined;
  let stopAskedAt = 0;
  let changes: Promise<unknown> = Promise.resolve();
  let upgrading: Promise<number | undefined> = Promise.resolve(undefined);
  let reloading: Promise<ReloadResult> | undefined;

  const onStop = (signal: NodeJS.Signals): void => {
    if (!stop.signal.aborted) {
      stopAskedAt = terminal.clock.now();
      stop.abort();
    } else if (signal === 'SIGINT' && terminal.clock.now() - stopAskedAt > SAME_INTERRUPT_MS) {
      hurry.abort();
    }
  };
  const onHangup = (signal: NodeJS.Signals): void => {
    if (reload === undefined) onStop(signal);
    else
      void askReload().catch(async () => {
        // A successor that read its configuration before has to read it again.
        const successor = await upgrading;
        if (successor !== undefined) tell(successor, signal);
      });
  };
  /** One that has not begun serves all who ask for it. */
  const askReload = (): Promise<ReloadResult> => {
    reloading ??= onceServing(async (served) => {
      reloading = undefined;
      if (reload === undefined) throw new PilotlightError('CANCELLED', 'there is no file to read again');
      return reload(served);
    });
    return reloading;
  };
  const onUpgrade = (): void => {
    if (upgrade === undefined) return;
    const upgraded = onceServing(async (served) => {
      const handedOver = upgrade(served, stop.signal);
      upgrading = handedOver.catch(() => undefined);
      if ((await handedOver) !== undefined) stop.abort();
    });
    upgraded.catch(() => undefined);
  };
  /** One change after the other. @throws CANCELLED when it is to end first */
  const onceServing = <Result>(change: (proxy: RunningProxy) => Promise<Result>): Promise<Result> => {
    const done = changes.then(async () => {
      const served = await booting?.catch(() => undefined);
      if (served === undefined || stop.signal.aborted) throw new PilotlightError('CANCELLED', 'the proxy is to end');
      return change(served);
    });
    changes = done.catch((thrown: unknown) => {
      if (toPilotlightError(thrown).code !== 'CANCELLED') onDefect(thrown);
    });
    return done;
  };
  const onDefect = (thrown: unknown): void => {
    const error = toPilotlightError(thrown);
    if (proxy === undefined) {
      terminal.err(`pilotlight: ${error.message}`);
      process.exit(1);
    }
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    proxy.logger.error({ code: 'INTERNAL', err: error }, `uncaught error, traffic goes on: ${error.message}`);
    proxy.logger.debug({ code: 'INTERNAL', stack }, 'where the uncaught error came from');
  };

  process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onHangup).on('SIGUSR2', onUpgrade);
  process.on('uncaughtException', onDefect).on('unhandledRejection', onDefect);
  for (const signal of takeSignals()) process.emit(signal, signal);
  try {
    booting = boot(stop.signal, askReload);
    const served = await booting;
    proxy = served;
    await aborted(stop.signal);
    const cut = aborted(hurry.signal).then(() => sleep(terminal.clock, HURRY_MS, new AbortController().signal));
    // An upgrade that this breaks off gives the replicas back first: else nobody would stop them.
    const stopped = upgrading.then((successor) => {
      if (successor === undefined) stopping?.();
      return served.stop(hurry.signal);
    });
    await Promise.race([stopped, cut]);
    return hurry.signal.aborted ? 1 : 0;
  } catch (error) {
    // Told to stop before it served: that is no failure.
    if (stop.signal.aborted && error === stop.signal.reason) return 0;
    throw error;
  } finally {
    process.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onHangup).off('SIGUSR2', onUpgrade);
    process.off('uncaughtException', onDefect).off('unhandledRejection', onDefect);
  }
}

function tell(process_: number, signal: NodeJS.Signals): void {
  try {
    process.kill(process_, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
