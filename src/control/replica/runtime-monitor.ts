import { type ErrorCode, toPilotlightError } from '../../model/errors.ts';
import type { Instance, ReplicaSpec, Runtime, RuntimeEvent } from '../../model/runtime.ts';
import type { Trouble } from '../../model/status.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { sleep } from '../../util/clock.ts';
import { printable } from '../../util/printable.ts';
import { type ControlContext, detached, guarded } from '../context.ts';
import { callRuntime } from './runtime-call.ts';

/** A list takes no longer than this, ms. */
const LIST_MS = 10_000;
const MESSAGE_LENGTH = 600;
const RETRY = { base: 1000, cap: 30_000, jitter: 0.2 };

export type RuntimeContact =
  /** What runs is not known yet: nothing may be started. */
  | { contact: 'listing' }
  /** As before, and the runtime did not answer: it is asked again at `retryAt` (the clock's ms). */
  | { contact: 'unreachable'; retryAt: number }
  /** What runs is known. It may have become unreachable since: starts will tell. */
  | { contact: 'known' };

interface MonitorOptions {
  context: ControlContext;
  runtime: Runtime;
  /** Every replica that may be there. */
  specs: () => ReplicaSpec[];
  /** What runs, as it was known a moment ago. */
  onList: (instances: Instance[]) => void;
  onEvent: (event: Extract<RuntimeEvent, { id: string }>) => void;
  /** The answer to whether anything may be started has changed. */
  onContact: () => void;
}

/** Follows one runtime: lists what runs at boot and whenever its events may have been missed, and passes events on. */
export class RuntimeMonitor {
  readonly #options: MonitorOptions;
  #contact: RuntimeContact = { contact: 'listing' };
  /** The list that is being made, and whether another one was asked for since it began. */
  #listing: 'no' | 'running' | 'again' = 'no';
  /** Why it cannot be asked what runs, and why it does not tell what happens. */
  readonly #troubles: { list?: Trouble | undefined; watch?: Trouble | undefined } = {};

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  get contact(): RuntimeContact {
    return this.#contact;
  }

  /** Why the runtime is out of reach; undefined while it is not. */
  get trouble(): Trouble | undefined {
    return this.#troubles.list ?? this.#troubles.watch;
  }

  /** Begins to watch and makes the first list. Resolves when the first attempt at it has ended, well or not. */
  async begin(): Promise<void> {
    const { context, runtime } = this.#options;
    runtime.watch((event) => guarded(context.logger, 'a runtime event', () => this.#onEvent(event)), context.life);
    this.#listing = 'running';
    const retryAt = await this.#list(1);
    if (retryAt === undefined) this.#listed();
    else detached(context, 'list', this.#retry(retryAt, 2));
  }

  /** Lists again: something may have been missed. */
  relist(): void {
    if (this.#listing !== 'no') {
      this.#listing = 'again';
      return;
    }
    this.#listing = 'running';
    detached(this.#options.context, 'list', this.#retry(this.#options.context.clock.now(), 1));
  }

  #onEvent(event: RuntimeEvent): void {
    const { context, runtime } = this.#options;
    if (event.type === 'lost') {
      const { code = 'RUNTIME_UNREACHABLE', message = '' } = event.cause ?? {};
      const why = message === '' ? '' : ` (${message})`;
      const line = `contact lost${why}; what was known of replicas is kept`;
      this.#troubled('watch', code, `${runtime.name}: ${line}`);
      context.events.emit('runtime', null, `${runtime.name}: ${line}`);
      context.logger.warn({ runtime: runtime.name, code }, `contact with the runtime lost${why}`);
    } else if (event.type === 'restored') {
      this.#troubles.watch = undefined;
      context.events.emit('runtime', null, `${runtime.name}: contact restored`);
      this.relist();
    } else {
      this.#options.onEvent(event);
    }
  }

  /** One attempt. @returns when to make the next one, the clock's ms; undefined when it succeeded */
  async #list(attempt: number): Promise<number | undefined> {
    const { context, runtime, specs, onList, onContact } = this.#options;
    const { clock, life, logger, events, random } = context;
    let instances: Instance[];
    try {
      instances = await callRuntime(clock, LIST_MS, life, (signal) => runtime.list(specs(), signal));
    } catch (thrown) {
      life.throwIfAborted();
      const { message, code } = toPilotlightError(thrown);
      this.#troubled('list', code, message);
      const retryAt = clock.now() + backoffDelay(attempt, RETRY, random);
      if (attempt === 1) events.emit('runtime', null, `${runtime.name}: ${message}; it is tried again`, { code });
      // Once per outage at warn: the retries would fill the log.
      const level = attempt === 1 ? 'warn' : 'debug';
      logger[level]({ runtime: runtime.name, code }, `cannot list replicas: ${message}`);
      if (this.#contact.contact !== 'known') this.#contact = { contact: 'unreachable', retryAt };
      onContact();
      return retryAt;
    }
    this.#contact = { contact: 'known' };
    this.#troubles.list = undefined;
    guarded(logger, 'adoption', () => onList(instances));
    onContact();
    return undefined;
  }

  #troubled(what: 'list' | 'watch', code: ErrorCode, message: string): void {
    const { clock } = this.#options.context;
    const since = this.#troubles[what]?.since ?? new Date(clock.wall()).toISOString();
    this.#troubles[what] = { code, message: printable(message, MESSAGE_LENGTH), since };
  }

  async #retry(firstAt: number, firstAttempt: number): Promise<void> {
    const { clock, life } = this.#options.context;
    let at: number | undefined = firstAt;
    for (let attempt = firstAttempt; at !== undefined; attempt++) {
      await sleep(clock, Math.max(0, at - clock.now()), life);
      at = await this.#list(attempt);
    }
    this.#listed();
  }

  #listed(): void {
    const again = this.#listing === 'again';
    this.#listing = 'no';
    if (again) this.relist();
  }
}
