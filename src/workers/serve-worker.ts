import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EdgeListener } from '../model/certificates.ts';
import { toPilotlightError } from '../model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import type { LogLevel } from '../model/observe.ts';
import type { HostPort } from '../model/settings.ts';
import { type ChannelEnd, createChannel } from '../util/channel.ts';
import { freeAfterBoot } from '../util/free-memory.ts';
import type { BoundSockets } from '../util/listening.ts';
import { BEGIN, type WorkerOrder, type WorkerReport, type WorkerSetup } from './protocol.ts';
import { ShareOfBounds } from './share.ts';

/** The primary, as a worker reaches it: its own process object, or a stand-in. */
interface PrimaryPort {
  readonly connected: boolean;
  send?(report: WorkerReport): unknown;
  on(event: 'message', listener: (order: WorkerOrder, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** What a worker is made of. */
interface WorkerParts {
  listen(listeners: EdgeListener[], bound: BoundSockets): Promise<HostPort[]>;
  drain(deadlineMs: number, handOver: boolean): Promise<void>;
  reopenLog(): Promise<void>;
  setLogLevel(level: LogLevel): void;
  close(): Promise<void>;
}

/** Makes the parts, which talk to the control plane over the link. */
type BuildWorker = (setup: WorkerSetup, link: ChannelEnd<ControlMessage, EdgeMessage>) => Promise<WorkerParts>;

/**
 * Does what the primary says until it says `close`. When the primary is gone, drains: what is under way finishes, within
 * the services' limits, and what waits for a start is refused. Resolves when there is nothing left to do.
 */
export function serveWorker(primary: PrimaryPort, build: BuildWorker): Promise<void> {
  return new Promise((resolve) => {
    let worker: Worker | undefined;
    primary.on('message', (order, handle) => {
      if (order.type === 'begin') worker = new Worker(order.setup, primary, build, resolve);
      else worker?.take(order, handle);
    });
    primary.on('disconnect', () => {
      if (worker === undefined) resolve();
      else worker.leave();
    });
  });
}

type Order = Exclude<WorkerOrder, { type: 'begin' }>;

class Worker {
  readonly #primary: PrimaryPort;
  readonly #share: ShareOfBounds;
  readonly #parts: Promise<WorkerParts>;
  readonly #link: ChannelEnd<EdgeMessage, ControlMessage>;
  readonly #end: () => void;
  /** Came, and wait for the `listen` that they are for. */
  #sockets = new Map<string, object[]>();
  /** Longest drain of the services, ms. */
  #drainMs = 0;
  #phase: 'new' | 'begun' | 'leaving' = 'new';

  constructor(setup: WorkerSetup, primary: PrimaryPort, build: BuildWorker, end: () => void) {
    this.#primary = primary;
    this.#share = new ShareOfBounds(setup.share);
    this.#end = end;
    const [near, far] = createChannel<ControlMessage, EdgeMessage>();
    this.#link = far;
    far.onMessage((message) => this.#report({ type: 'link', message }));
    this.#parts = build(setup, near);
    this.#parts.catch((error: unknown) => this.#fail(error));
  }

  take(order: Order, handle: unknown): void {
    switch (order.type) {
      case 'link':
        this.#link.post(this.#share.message(order.message));
        if (order.message.type === 'table') this.#onTable(order.message);
        break;
      case 'socket':
        this.#sockets.set(order.key, [...(this.#sockets.get(order.key) ?? []), handle as object]);
        break;
      case 'listen': {
        const bound = this.#sockets;
        this.#sockets = new Map();
        this.#answer(order.order, ({ listen }) => listen(this.#share.listeners(order.listeners), bound));
        break;
      }
      case 'drain':
        this.#answer(order.order, ({ drain }) => drain(order.deadlineMs, order.handOver));
        break;
      case 'reopen-log':
        this.#answer(order.order, ({ reopenLog }) => reopenLog());
        break;
      case 'log-level':
        this.#parts.then(({ setLogLevel }) => setLogLevel(order.level)).catch(() => undefined);
        break;
      case 'close':
        void this.#close();
        break;
    }
  }

  /** Nobody tells it anything any more: what waits for a start waits in vain. */
  leave(): void {
    if (this.#phase === 'leaving') return;
    this.#phase = 'leaving';
    this.#parts
      .then(({ drain }) => {
        const drained = drain(this.#drainMs, false);
        this.#link.close();
        return drained;
      })
      .catch(() => undefined)
      .then(() => this.#close());
  }

  #onTable({ table }: Extract<ControlMessage, { type: 'table' }>): void {
    this.#drainMs = Math.max(0, ...table.services.map(({ timeouts }) => timeouts.drainMs));
    if (this.#phase !== 'new') return;
    this.#phase = 'begun';
    // The edge takes it in once it is there, in a turn of its own.
    this.#parts
      .then(() => nextTurn())
      .then(
        () => {
          freeAfterBoot(table.services.length);
          this.#report({ type: 'began' });
        },
        () => undefined,
      );
  }

  #answer(order: number, act: (parts: WorkerParts) => Promise<unknown>): void {
    this.#parts.then(act).then(
      () => this.#report({ type: 'done', order }),
      (thrown: unknown) => {
        const { code, message } = toPilotlightError(thrown);
        this.#report({ type: 'failed', order, code, message });
      },
    );
  }

  /** It could not be built. */
  #fail(thrown: unknown): void {
    const { code, message } = toPilotlightError(thrown);
    this.#report({ type: 'failed', order: BEGIN, code, message });
    this.#end();
  }

  async #close(): Promise<void> {
    this.#phase = 'leaving';
    await this.#parts.then(({ close }) => close()).catch(() => undefined);
    this.#end();
  }

  #report(report: WorkerReport): void {
    // Without a primary there is nobody to tell.
    if (this.#primary.connected) this.#primary.send?.(report);
  }
}
