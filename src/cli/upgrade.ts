import { type ChildProcess, spawn } from 'node:child_process';
import { PilotlightError, toPilotlightError } from '../model/errors.ts';
import { type FromSuccessor, SUCCESSOR_VARIABLE, type ToSuccessor } from './handover-protocol.ts';
import type { RunningProxy } from './running-proxy.ts';
import type { Terminal } from './terminal.ts';

/** How long a successor may take to read its configuration, ms. */
const BOOT_MS = 30_000;
/** How long what is being started or stopped may take, ms: a stop's usual grace, and most starts. */
const LET_GO_MS = 30_000;
/** From then on until it serves, ms. */
const SERVE_MS = 30_000;

/**
 * Starts the program anew, as it is installed now and with the configuration as it is now, and gives it the listening
 * sockets, then the replicas. Until it serves, this process does; if it never does, or `stop` breaks it off, this
 * process goes on.
 * @param isFirst this is the first process of a container, which would end with it, and the new process too
 * @returns the successor's process id when it serves: this process is to drain, then
 */
export async function upgrade(
  proxy: RunningProxy,
  { env }: Terminal,
  stop: AbortSignal,
  isFirst = process.pid === 1,
): Promise<number | undefined> {
  if (isFirst) {
    await proxy.resume('the container would end with its first process: replace the container instead');
    return undefined;
  }
  try {
    // Until then the replicas are not its own to give away; a drain may take longer than a successor may.
    await proxy.alone(stop);
  } catch {
    return undefined;
  }
  const successor = new SuccessorProcess(proxy.sockets, env);
  const within = (ms: number) => AbortSignal.any([AbortSignal.timeout(ms), stop]);
  try {
    await successor.says('booting', within(BOOT_MS));
    await proxy.letGo(
      { pid: successor.pid, wake: (service) => successor.tell({ type: 'wake', service }) },
      within(LET_GO_MS),
    );
    successor.tell({ type: 'take', ...proxy.handedOver });
    await successor.says('serving', within(SERVE_MS));
    return successor.pid;
  } catch (error) {
    await successor.end();
    await proxy.resume(reasonOf(error));
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const late = error instanceof DOMException && error.name === 'TimeoutError';
  return late ? 'the new process took too long' : toPilotlightError(error).message;
}

/** The process that is to replace this one. */
class SuccessorProcess {
  readonly #child: ChildProcess;
  readonly #said = new Set<FromSuccessor['type']>();
  readonly #exited: Promise<string>;
  #onSaid: () => void = () => undefined;

  constructor(sockets: readonly number[], env: Terminal['env']) {
    const { LISTEN_PID: _, LISTEN_FDNAMES: __, ...rest } = env;
    this.#child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      stdio: ['inherit', 'inherit', 'inherit', ...sockets, 'ipc'],
      env: { ...rest, LISTEN_FDS: String(sockets.length), [SUCCESSOR_VARIABLE]: '1' },
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(`could not be started: ${error.message}`));
      this.#child.on('exit', (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`));
    });
    this.#child.on('message', ({ type }: FromSuccessor) => {
      this.#said.add(type);
      this.#onSaid();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** @throws UPGRADE_FAILED when it ends first, the signal's reason */
  says(type: FromSuccessor['type'], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onSaid = () => {
        if (this.#said.has(type)) resolve();
      };
      this.#onSaid();
      void this.#exited.then((how) => reject(new PilotlightError('UPGRADE_FAILED', `the new process ${how}`)));
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  tell(message: ToSuccessor): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Ends it; resolves when it is gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
