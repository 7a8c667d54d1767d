import type { Registrar, Registration } from '../../model/discovery.ts';
import { sleep, type Timer } from '../../util/clock.ts';
import { canonicalJson } from '../../util/hash.ts';
import { type ControlContext, detached } from '../context.ts';
import { retrying } from '../retry.ts';

const RETRY = { base: 1000, cap: 60_000, jitter: 0.2 };
/** How often the catalogue is asked whether it still has the entries, ms … */
const LOOK_EVERY_MS = 10_000;
/** … and how much of that at least for each entry: the answer lists them all, and thousands take a while to read. */
const LOOK_PER_ENTRY_MS = 10;

interface Entry {
  /** What should be there: the entry, or nothing. */
  wanted: Registration | undefined;
  /** What is there as far as is known; undefined while unknown. */
  present: Registration | 'absent' | undefined;
  /** The loop that brings it about, while it runs. */
  work: Promise<void> | undefined;
}

/**
 * Keeps entries in a service catalogue: whatever is wanted last is brought about, one call at a time per entry, again
 * and again with a growing pause where the catalogue does not answer. Nobody waits for it.
 */
export class Registrations {
  readonly #context: ControlContext;
  readonly #registrar: Registrar | undefined;
  readonly #entries = new Map<string, Entry>();
  #paused = false;
  /** Whether entries were missing when it was looked last. */
  #missing = false;

  /** @param registrar undefined: nothing is registered */
  constructor(context: ControlContext, registrar: Registrar | undefined) {
    this.#context = context;
    this.#registrar = registrar;
  }

  /** The entry should be there; the same one again changes nothing. */
  put(registration: Registration): void {
    const { wanted } = this.#entries.get(registration.id) ?? {};
    if (canonicalJson(wanted ?? null) !== canonicalJson(registration)) this.#want(registration.id, registration);
  }

  /** The entry should not be there; one that never was is not looked for. */
  drop(id: string): void {
    if (this.#entries.has(id)) this.#want(id, undefined);
  }

  /** Changes nothing in the catalogue from now on: a successor does. What is wanted meanwhile is kept in mind. */
  pause(): void {
    this.#paused = true;
  }

  /** Brings about what was wanted meanwhile. */
  resume(): void {
    this.#paused = false;
    for (const [id, { wanted }] of [...this.#entries]) this.#want(id, wanted);
  }

  /** Puts every entry anew, over the one that is there: it lives with the rights that it was put with. */
  renew(): void {
    for (const [id, entry] of [...this.#entries]) {
      if (entry.wanted === undefined) continue;
      entry.present = undefined;
      this.#want(id, entry.wanted);
    }
  }

  /** Ids that are wanted. */
  get wanted(): string[] {
    return [...this.#entries].flatMap(([id, { wanted }]) => (wanted === undefined ? [] : id));
  }

  /** Takes out what an earlier run left behind: all of this instance but what is wanted or named in `keep`. */
  async dropOrphans(keep: () => ReadonlySet<string>): Promise<void> {
    const registrar = this.#registrar;
    if (registrar === undefined) return;
    const ids = await this.#retrying('list own registrations', () => registrar.registered(this.#context.life));
    const kept = keep();
    for (const id of ids) {
      if (kept.has(id) || this.#entries.get(id)?.wanted !== undefined) continue;
      this.#entries.set(id, { wanted: undefined, present: undefined, work: undefined });
      this.#want(id, undefined);
    }
  }

  /**
   * Puts back what the catalogue loses, until the control plane ends: an agent that keeps nothing on a disk forgets
   * everything when it restarts.
   */
  async keep(): Promise<void> {
    const { clock, life } = this.#context;
    while (this.#registrar !== undefined && !life.aborted) {
      await sleep(clock, Math.max(LOOK_EVERY_MS, LOOK_PER_ENTRY_MS * this.#entries.size), life);
      await this.#putBack(this.#registrar);
    }
  }

  async #putBack(registrar: Registrar): Promise<void> {
    const settled = [...this.#entries].flatMap(([id, { wanted, present }]) =>
      wanted !== undefined && wanted === present ? [{ id, wanted }] : [],
    );
    if (settled.length === 0 || this.#paused) return;
    // Where it does not answer there is nothing to put back to, and others tell of it.
    const there = await registrar.registered(this.#context.life).catch(() => undefined);
    if (there === undefined || this.#paused) return;
    const ids = new Set(there);
    // What is to be something else by now, or not to be, is on its way there.
    const lost = settled.filter(({ id, wanted }) => {
      const now = this.#entries.get(id);
      return !ids.has(id) && now?.wanted === wanted && now.present === wanted;
    });
    if (lost.length > 0 && !this.#missing) {
      const line = `entries are gone from ${registrar.title} that nobody here took out; put back: ${lost.length}`;
      this.#context.events.emit('registration', null, line);
    }
    this.#missing = lost.length > 0;
    for (const { id } of lost) {
      const entry = this.#entries.get(id) as Entry;
      entry.present = 'absent';
      this.#want(id, entry.wanted);
    }
  }

  /** Resolves when everything that is wanted has been brought about, after `limitMs` at the latest. */
  async settled(limitMs: number): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#context.clock.after(limitMs, resolve);
    });
    await Promise.race([Promise.all([...this.#entries.values()].map(({ work }) => work)), late]);
    timer?.cancel();
  }

  #want(id: string, wanted: Registration | undefined): void {
    if (this.#registrar === undefined) return;
    const entry = this.#entries.get(id) ?? { wanted, present: 'absent', work: undefined };
    this.#entries.set(id, entry);
    entry.wanted = wanted;
    if (entry.work !== undefined || this.#paused) return;
    entry.work = this.#bringAbout(id, entry, this.#registrar);
    detached(this.#context, `registration of ${id}`, entry.work);
  }

  async #bringAbout(id: string, entry: Entry, registrar: Registrar): Promise<void> {
    const { life } = this.#context;
    // Deferred, so that the caller has the promise before anything happens.
    await Promise.resolve();
    while (entry.present !== (entry.wanted ?? 'absent')) {
      await this.#retrying(`registration of ${id}`, async () => {
        const target = entry.wanted;
        if (target === undefined) await registrar.deregister(id, life);
        else await registrar.register(target, life);
        entry.present = target ?? 'absent';
      });
    }
    // In the same turn as the last look, so that nothing wanted in between is missed.
    entry.work = undefined;
    if (entry.wanted === undefined) this.#entries.delete(id);
  }

  #retrying<Value>(what: string, call: () => Promise<Value>): Promise<Value> {
    return retrying(this.#context, what, RETRY, call, (line) => this.#context.events.emit('registration', null, line));
  }
}
