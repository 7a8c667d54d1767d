import { sleep, type Timer } from '../../util/clock.ts';
import { type ControlContext, guarded } from '../context.ts';
import type { Registrations } from '../endpoints/registration.ts';
import type { Runtimes } from '../replica/runtimes.ts';
import type { ServiceController } from './controller.ts';

/** How often a change that is waited for is looked for, ms. */
const CHECK_MS = 20;
/** How often what a successor started is looked for while requests wait for it here, ms. */
const FOLLOW_MS = 250;

/** Who else uses the replicas: nobody, the process that this one follows, or the one that follows this one. */
type Role = 'sole' | 'successor' | 'predecessor';

/** What the control plane may do with replicas while two processes use them, one of which replaces the other. */
export class HandOver {
  readonly #context: ControlContext;
  readonly #services: ReadonlyMap<string, ServiceController>;
  readonly #runtimes: Runtimes;
  readonly #registrations: Registrations;
  readonly #mayAct: () => boolean;
  #role: Role;
  #following: Timer | undefined;

  constructor(
    context: ControlContext,
    services: ReadonlyMap<string, ServiceController>,
    runtimes: Runtimes,
    registrations: Registrations,
    succeeding: boolean,
    mayAct: () => boolean = () => true,
  ) {
    this.#context = context;
    this.#services = services;
    this.#runtimes = runtimes;
    this.#registrations = registrations;
    this.#mayAct = mayAct;
    this.#role = succeeding ? 'successor' : 'sole';
  }

  /** Replicas are this process's alone: they may be retired and stopped, and registrations dropped. */
  get mayEnd(): boolean {
    return this.#role === 'sole' && this.#mayAct();
  }

  /** Replicas may be started: by a successor for its predecessor too. */
  get mayStart(): boolean {
    return this.#role !== 'predecessor' && this.#mayAct();
  }

  /** See `Control.takeOver`. @returns whether anything changed */
  takeOver(): boolean {
    if (this.#role !== 'successor') return false;
    this.#role = 'sole';
    this.#runtimes.relistAll();
    return true;
  }

  /** See `Control.letGo`. */
  async letGo(wake: (service: string) => void, signal: AbortSignal): Promise<void> {
    this.#role = 'predecessor';
    this.#registrations.pause();
    const services = () => [...this.#services.values()];
    for (const { name, lifecycle } of services()) {
      guarded(this.#context.logger, `letting go of ${name}`, () => lifecycle.letGo());
    }
    try {
      await this.#until(() => services().every(({ lifecycle }) => lifecycle.set.isSettled), signal);
    } catch (error) {
      this.resume();
      throw error;
    }
    this.#following = this.#context.clock.every(FOLLOW_MS, () => {
      const missed = services().filter(({ isMissed }) => isMissed);
      for (const { name } of missed) wake(name);
      if (missed.length > 0) this.#runtimes.relistAll();
    });
  }

  /** See `Control.resume`. */
  resume(): void {
    this.#role = 'sole';
    this.close();
    this.#registrations.resume();
    this.#runtimes.relistAll();
    for (const { name, lifecycle } of this.#services.values()) {
      guarded(this.#context.logger, `resumption of ${name}`, () => lifecycle.look());
    }
  }

  /** Resolves when nothing that was found running has to prove itself any more, and the condition holds. */
  adopted(condition: () => boolean, signal: AbortSignal): Promise<void> {
    const isAdopting = ({ lifecycle }: ServiceController) =>
      lifecycle.set.replicas.some(({ task }) => task.kind === 'adopt');
    return this.#until(() => condition() && ![...this.#services.values()].some(isAdopting), signal);
  }

  close(): void {
    this.#following?.cancel();
    this.#following = undefined;
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) await sleep(this.#context.clock, CHECK_MS, signal);
  }
}
