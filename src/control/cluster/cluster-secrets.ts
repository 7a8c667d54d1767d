import { createHash, randomBytes } from 'node:crypto';
import type { LeaderCalls, SharedValues } from '../../model/cluster.ts';
import { PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { SecretsListener, SharedProof, SharedSecrets } from '../../model/shared-secrets.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { inTurns } from '../../util/in-turns.ts';
import type { Fence } from './fence.ts';
import { Seal } from './seal.ts';
import { type SecretsItem, Viewers } from './secret-viewers.ts';

interface ClusterSecretsOptions {
  cluster: string;
  secret: string;
  /** This member's name. */
  self: string;
  values: SharedValues;
  calls: LeaderCalls;
  clock: Clock;
  logger: Logger;
}

/** A time for which this member leads. */
interface Term {
  /** `reading`: it does not know yet what is kept. `barred`: it cannot open that, and changes nothing. */
  state: 'reading' | 'barred' | 'leading';
  fence: Fence;
  life: AbortController;
}

/** How soon what Consul refused or did not answer is tried again, ms. */
const AGAIN_MS = 2000;
/** How soon it is looked whether what could not be opened can be, ms. */
const BARRED_AGAIN_MS = 15_000;

/**
 * Secrets of a cluster: kept in Consul, sealed, by whoever leads, and told by it to the members over their connections.
 * Every member goes on with what it was told last.
 */
export class ClusterSecrets implements SharedSecrets {
  readonly #options: ClusterSecretsOptions;
  readonly #seal: Seal;
  readonly #values = new Map<string, string>();
  /** Digests of all values. The leader is told of them, as they are by then, whenever there is a connection to one. */
  readonly #digests: Record<string, string> = {};
  /** What is not kept yet, while this member leads. */
  readonly #unkept = new Set<string>();
  readonly #inTurn = inTurns();
  readonly #listeners = new Set<SecretsListener>();
  readonly #life = new AbortController();
  /** Tells one run of this member from the next. */
  readonly #run = randomBytes(8).toString('hex');
  readonly #viewers: Viewers;
  /** Undefined: another member leads, or nobody does. */
  #term: Term | undefined;
  #leader: string | undefined;
  /** What was said of values that cannot be used. */
  #told = '';

  constructor(options: ClusterSecretsOptions) {
    const { cluster, secret, calls, clock, logger, self } = options;
    this.#options = options;
    this.#seal = new Seal(secret, cluster);
    this.#viewers = new Viewers(clock, logger, self, this.#values, this.#digests);
    calls.stream('secrets', [this.#run, this.#digests], (item) => this.#take(item as SecretsItem), this.#life.signal);
  }

  get leader(): string | undefined {
    return this.#leader;
  }

  get leads(): boolean {
    return this.#term?.state === 'leading';
  }

  get mayAct(): boolean {
    return this.#term?.state === 'leading' && this.#term.fence.holds;
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  get names(): string[] {
    return [...this.#values.keys()];
  }

  async set(name: string, text: string | undefined): Promise<void> {
    const term = this.#term;
    if (term?.state !== 'leading' || !term.fence.holds) {
      throw new PilotlightError('CLUSTER_RIGHT_LOST', 'this proxy does not see to the secrets of the cluster now');
    }
    this.#put(name, text);
    this.#unkept.add(name);
    await this.#keep(term, name);
  }

  show(proofs: readonly SharedProof[]): Promise<void> {
    return this.#viewers.show([...proofs]);
  }

  follow(listener: SecretsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** This member leads from here on. */
  lead(fence: Fence): void {
    const term: Term = { state: 'reading', fence, life: new AbortController() };
    this.#term = term;
    this.#leader = undefined;
    void this.#begin(term);
  }

  /** This member leads no more. */
  resign(): void {
    if (this.#term === undefined) return;
    this.#term.life.abort();
    this.#term = undefined;
    this.#unkept.clear();
    this.#viewers.close();
    for (const { onLead } of this.#listeners) onLead?.();
  }

  /** Answers what members ask of the one that leads; undefined: it is no question of these. */
  answer(
    method: string,
    args: readonly unknown[],
    emit: (item: unknown) => void,
    signal: AbortSignal,
  ): Promise<unknown> | undefined {
    if (method !== 'secrets' && method !== 'shown') return undefined;
    const [run, about] = args;
    if (method === 'shown') this.#viewers.shown(String(run), Number(about));
    // It has its own.
    else if (run !== this.#run) {
      const has = (about ?? {}) as Record<string, string>;
      this.#viewers.add(String(run), has, emit as (item: SecretsItem) => void, signal);
    }
    return Promise.resolve(null);
  }

  close(): void {
    this.resign();
    this.#life.abort();
  }

  // ── as the one that leads ─────────────────────────────────────────────────────────────────────────────────────────

  /** Reads what is kept, tells it, and keeps what is not, until this member leads no more. Never rejects. */
  async #begin(term: Term): Promise<void> {
    const { clock, self } = this.#options;
    const { signal } = term.life;
    while (!signal.aborted) {
      try {
        if (term.state !== 'leading') {
          const isOpen = await this.#read(signal);
          if (signal.aborted) return;
          term.state = isOpen ? 'leading' : 'barred';
          if (isOpen) {
            this.#leader = self;
            this.#viewers.open();
            for (const { onLead } of this.#listeners) onLead?.();
          }
        }
        if (term.state === 'leading') for (const name of [...this.#unkept]) await this.#keep(term, name);
      } catch (error) {
        if (!signal.aborted) this.#say('warn', toPilotlightError(error), '; it is tried again');
      }
      await sleep(clock, term.state === 'barred' ? BARRED_AGAIN_MS : AGAIN_MS, signal).catch(() => undefined);
    }
  }

  /** @returns whether all could be opened */
  async #read(signal: AbortSignal): Promise<boolean> {
    const { values } = this.#options;
    const kept = await values.read(signal);
    signal.throwIfAborted();
    const found: [string, string][] = [];
    for (const [name, value] of kept) {
      const opened = this.#seal.open(name, value);
      if ('fault' in opened) {
        const why = opened.fault === 'secret' ? 'another secret' : 'a version that this one does not know';
        const what = `what the cluster shares cannot be opened: it was sealed with ${why} (${name} in ${values.place})`;
        const rest = ': nothing of it is used or changed, and no certificates are ordered';
        this.#say('error', new PilotlightError('CLUSTER_SECRET_WRONG', what), rest);
        return false;
      }
      found.push([name, opened.text]);
    }
    const changed = found.filter(([name, text]) => this.#values.get(name) !== text);
    for (const [name, text] of changed) this.#put(name, text);
    // A Consul that has lost its data gets it back.
    for (const name of this.#values.keys()) if (!kept.has(name)) this.#unkept.add(name);
    this.#tell(changed.map(([name]) => name));
    return true;
  }

  /** Writes one value as it is by then. */
  #keep({ fence, life }: Term, name: string): Promise<void> {
    const { values } = this.#options;
    return this.#inTurn(async () => {
      if (!this.#unkept.has(name)) return;
      const text = this.#values.get(name);
      const sealed = text === undefined ? undefined : this.#seal.seal(name, text);
      const isKept = fence.holds && (await values.write(name, sealed, fence.index, life.signal));
      if (!isKept) throw new PilotlightError('CLUSTER_RIGHT_LOST', 'another proxy leads the cluster by now');
      if (this.#values.get(name) === text) this.#unkept.delete(name);
      this.#viewers.tell(name);
      this.#told = '';
    });
  }

  /** Once for as long as it is the same. */
  #say(level: 'warn' | 'error', { code, message }: PilotlightError, rest: string): void {
    if (this.#told !== message) this.#options.logger[level]({ code }, `${message}${rest}`);
    this.#told = message;
  }

  // ── as any member ─────────────────────────────────────────────────────────────────────────────────────────────────

  #take(item: SecretsItem): void {
    if (this.#term !== undefined) return;
    if (item.type === 'proofs') {
      void this.#takeProofs(item.number, item.proofs);
      return;
    }
    this.#leader = item.leader;
    const changed = item.values.filter(([name, text]) => this.#put(name, text ?? undefined)).map(([name]) => name);
    if (item.names !== null) {
      const all = new Set(item.names);
      for (const name of this.#values.keys()) if (!all.has(name) && this.#put(name, undefined)) changed.push(name);
    }
    this.#tell(changed);
  }

  async #takeProofs(number: number, proofs: readonly SharedProof[]): Promise<void> {
    const { calls, logger } = this.#options;
    try {
      for (const { onProofs } of this.#listeners) await onProofs?.(proofs);
      await calls.call('shown', [this.#run, number], this.#life.signal);
    } catch (error) {
      logger.debug({ code: toPilotlightError(error).code }, 'the leader does not know that its proofs are shown here');
    }
  }

  /** @returns whether it is another one than before */
  #put(name: string, text: string | undefined): boolean {
    if (this.#values.get(name) === text) return false;
    if (text === undefined) {
      this.#values.delete(name);
      delete this.#digests[name];
    } else {
      this.#values.set(name, text);
      this.#digests[name] = createHash('sha256').update(text).digest('base64url');
    }
    return true;
  }

  #tell(names: readonly string[]): void {
    if (names.length > 0) for (const { onValues } of this.#listeners) onValues?.(names);
  }
}
