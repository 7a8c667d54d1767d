import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** What a keeper process is told to run. */
export interface KeeperJob {
  program: string;
  args: string[];
  /** Where the daemon keeps everything; removed after its end. */
  folder: string;
  stopSignal: 'SIGTERM' | 'SIGKILL';
  /** Milliseconds from the stop signal to SIGKILL. */
  graceMs: number;
}

/** A daemon that does not outlive this process, held by a keeper process of its own. */
export class KeptDaemon {
  readonly #keeper: ChildProcess;
  readonly #ended: Promise<number | null>;
  #complaints = '';

  constructor(job: KeeperJob) {
    // A session of its own: an interrupt from the terminal must end the tests, and only then the daemon.
    this.#keeper = spawn(process.execPath, [join(import.meta.dirname, 'keeper.ts'), JSON.stringify(job)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#keeper.stderr?.on('data', (chunk) => {
      this.#complaints += chunk;
    });
    this.#keeper.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve, reject) => {
      this.#keeper.on('error', reject).on('close', resolve);
    });
  }

  /**
   * Waits until `answers` says that the daemon serves; throws with the end of its log if it ends instead, or after
   * `timeoutMs`.
   */
  async ready(name: string, answers: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const ended = this.#ended.then(() => {
      throw new Error(`${name} did not start: ${this.#complaints.trim()}`);
    });
    const deadline = performance.now() + timeoutMs;
    while (!(await Promise.race([answers(), ended]))) {
      if (performance.now() > deadline) {
        await this.stop();
        throw new Error(`${name} does not answer after ${timeoutMs / 1000} s`);
      }
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 50)), ended]);
    }
  }

  /** Ends the daemon and returns when it and all it left are gone. */
  async stop(): Promise<void> {
    this.#keeper.stdin?.end();
    const code = await this.#ended;
    if (code !== 0) throw new Error(`a daemon of the tests did not end in order: ${this.#complaints.trim()}`);
  }
}
