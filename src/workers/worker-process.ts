import { type ChildProcess, fork } from 'node:child_process';
import type { EdgeListener } from '../model/certificates.ts';
import { type ErrorCode, errorKinds, PilotlightError } from '../model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import type { LogLevel } from '../model/observe.ts';
import { type ChannelEnd, createChannel } from '../util/channel.ts';
import { BEGIN, type WorkerOrder, type WorkerReport, type WorkerSetup } from './protocol.ts';

interface WorkerProcessOptions {
  /** The file that a worker runs. */
  entry: string;
  /** A file that it runs before it loads that one. */
  preload: string | undefined;
  /** Flags of Node. */
  flags: readonly string[];
  setup: WorkerSetup;
  /** It is gone, in whatever way. */
  onExit: (how: string) => void;
}

type Answer = { resolve: () => void; reject: (error: PilotlightError) => void };

/** One worker process as the primary sees it: its life, what it is told, and its end of the link. */
export class WorkerProcess {
  /** For the control plane. It closes when the process is gone. */
  readonly link: ChannelEnd<EdgeMessage, ControlMessage>;
  /** Resolves when it has its first table; rejects when it is gone before. */
  readonly began: Promise<void>;
  readonly exited: Promise<void>;
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #far: ChannelEnd<ControlMessage, EdgeMessage>;
  readonly #answers = new Map<number, Answer>();
  #orders = BEGIN;
  /** It said something since this was cleared. */
  wasHeard = true;
  /** Why nothing is answered any more. */
  #gone: PilotlightError | undefined;

  constructor({ entry, preload, flags, setup, onExit }: WorkerProcessOptions) {
    this.name = setup.name;
    [this.link, this.#far] = createChannel<EdgeMessage, ControlMessage>();
    this.began = new Promise((resolve, reject) => {
      this.#answers.set(BEGIN, { resolve, reject });
    });
    this.began.catch(() => undefined);
    const execArgv = preload === undefined ? [...flags] : [...flags, `--import=${preload}`];
    this.#child = fork(entry, [], { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.exited = new Promise((resolve) => {
      // `exit` does not come where it could not be started at all.
      this.#child.on('error', (error) => {
        if (this.#child.pid === undefined) this.#onGone(error.message, onExit, resolve);
      });
      this.#child.on('exit', (code, signal) => this.#onGone(signal ?? `code ${code}`, onExit, resolve));
    });
    this.#child.on('message', (report: WorkerReport) => this.#onReport(report));
    this.#far.onMessage((message) => this.#send({ type: 'link', message }));
    this.#far.onClose(() => {
      if (this.#child.connected) this.#child.disconnect();
    });
    this.#send({ type: 'begin', setup });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Has it listen on exactly these from now on.
   * @param sockets for listeners that it does not have yet, by `listenKey`
   * @throws what `Edge.listen` throws; CANCELLED when the process ends first
   */
  listen(listeners: EdgeListener[], sockets: ReadonlyMap<string, readonly object[]>): Promise<void> {
    for (const [key, handles] of sockets) {
      for (const handle of handles) this.#send({ type: 'socket', key }, handle);
    }
    return this.#ask((order) => ({ type: 'listen', order, listeners }));
  }

  /** See `Edge.drain`. */
  drain(deadlineMs: number, handOver: boolean): Promise<void> {
    return this.#ask((order) => ({ type: 'drain', order, deadlineMs, handOver }));
  }

  /** Opens the access log anew. */
  reopenLog(): Promise<void> {
    return this.#ask((order) => ({ type: 'reopen-log', order }));
  }

  setLogLevel(level: LogLevel): void {
    this.#send({ type: 'log-level', level });
  }

  /** Has it end. */
  close(): void {
    this.#send({ type: 'close' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #ask(make: (order: number) => WorkerOrder): Promise<void> {
    const order = ++this.#orders;
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) {
        reject(this.#gone);
        return;
      }
      this.#answers.set(order, { resolve, reject });
      this.#send(make(order));
    });
  }

  /** What cannot be sent any more is answered by the exit. */
  #send(order: WorkerOrder, handle?: object): void {
    if (this.#child.connected) this.#child.send(order, handle as never, {}, () => undefined);
  }

  #onReport(report: WorkerReport): void {
    this.wasHeard = true;
    if (report.type === 'link') {
      this.#far.post(report.message);
      return;
    }
    const order = report.type === 'began' ? BEGIN : report.order;
    const answer = this.#answers.get(order);
    this.#answers.delete(order);
    if (report.type === 'failed') answer?.reject(new PilotlightError(codeOf(report.code), report.message));
    else answer?.resolve();
  }

  #onGone(how: string, onExit: (how: string) => void, resolve: () => void): void {
    const gone = new PilotlightError('CANCELLED', `${this.name} ended (${how})`);
    this.#gone = gone;
    for (const { reject } of this.#answers.values()) reject(gone);
    this.#answers.clear();
    this.#far.close();
    resolve();
    onExit(how);
  }
}

function codeOf(text: string): ErrorCode {
  return text in errorKinds ? (text as ErrorCode) : 'INTERNAL';
}
