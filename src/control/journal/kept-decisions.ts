import type { Decision, DecisionEntry, HeldBack, Refusal } from '../../model/decision.ts';
import { JOURNAL_FORMAT as v } from '../../model/journal.ts';
import type { ControlContext } from '../context.ts';
import { noRefusals, present, type RefusalWatch, type Watched, watchChange, watchTick } from './refusals.ts';

/** Changes that are remembered of a service, and as many refusals beside them: neither crowd the others out. */
export const KEPT = 100;

type New<Entry> = Omit<Entry, 'id' | 'at' | 'service' | 'outcome' | 'ended'>;

/** Who is told of refusals. */
export interface RefusalListener {
  refusalBegun(refusal: Refusal): void;
  refusalEnded(refusal: Refusal): void;
}

/** The last decisions about one service, and what keeps the next back: in memory, and each of them in the journal. */
export class KeptDecisions {
  /** Oldest first. */
  readonly #changes: Decision[] = [];
  readonly #refusals: Refusal[] = [];
  readonly #service: string;
  readonly #context: ControlContext;
  readonly #listener: RefusalListener;
  #watch: RefusalWatch<Refusal> = noRefusals;
  /** The refusal of the last tick. */
  #latest: New<Refusal> | undefined;
  #count = 0;

  constructor(service: string, context: ControlContext, listener: RefusalListener) {
    this.#service = service;
    this.#context = context;
    this.#listener = listener;
    for (const entry of context.journal.takeEarlier(service)) this.#restore(entry);
  }

  /** The last change. */
  get last(): Decision | null {
    return this.#changes.at(-1) ?? null;
  }

  get heldBack(): HeldBack | null {
    const spell = present(this.#watch);
    if (spell === undefined || this.#latest === undefined) return null;
    const { clock } = this.#context;
    const blocks = this.#latest.verdicts.filter(({ verdict }) => verdict === 'block');
    const against = blocks.map(({ detail }) => detail).join('; ');
    return {
      since: new Date(clock.wall() - (clock.now() - spell.since)).toISOString(),
      guards: blocks.map(({ guard }) => guard),
      reason: against === '' ? this.#latest.reason : `${this.#latest.reason}, but ${against}`,
    };
  }

  /** Changes and refusals in the order of time. */
  get all(): DecisionEntry[] {
    return [...this.#changes, ...this.#refusals].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  /** Keeps a decision for a change. What was refused until then is over. */
  change(decision: New<Decision>): Decision {
    const { id, at, service } = this.#stamp();
    const record = { id, at, service, ...decision };
    this.#latest = undefined;
    this.#follow(watchChange(this.#watch, this.#context.clock.now()));
    this.#context.journal.append({ v, record: 'decision', ...record });
    const kept: Decision = { ...record, outcome: null };
    push(this.#changes, kept);
    return kept;
  }

  /**
   * Takes note of what a tick came to that changed nothing.
   * @param refused what was asked for and refused; undefined where nothing was asked for
   * @returns whether a refusal is new: what stood before, and was not there for a moment, is not
   */
  tick(refused: New<Refusal> | undefined): boolean {
    const { clock } = this.#context;
    let isNew = false;
    const first = (): Refusal | undefined => {
      if (refused === undefined) return undefined;
      isNew = true;
      return { ...this.#stamp(), ...refused, ended: null };
    };
    this.#latest = refused;
    this.#follow(watchTick(this.#watch, refused === undefined ? '' : keyOf(refused), clock.now(), first));
    return isNew;
  }

  /** What came of an earlier change. @returns the change, with that; undefined where it is remembered no more */
  cameOf(id: string, text: string): Decision | undefined {
    const { at, service } = this.#stamp();
    this.#context.journal.append({ v, record: 'outcome', service, of: id, at, text });
    const index = this.#changes.findLastIndex((each) => each.id === id);
    const found = this.#changes[index];
    if (found === undefined) return undefined;
    const changed = { ...found, outcome: { at, text } };
    this.#changes[index] = changed;
    return changed;
  }

  /** The proxy is about to end, or the service is gone: what is refused now is over. */
  close(): void {
    this.#latest = undefined;
    this.#follow(watchChange(this.#watch, this.#context.clock.now()));
  }

  #follow({ watch, begun, ended }: Watched<Refusal>): void {
    const { clock, journal } = this.#context;
    this.#watch = watch;
    if (ended?.first !== undefined) {
      const { id, service } = ended.first;
      const at = new Date(clock.wall() - (clock.now() - ended.until)).toISOString();
      const end = { at, lastedMs: Math.round(ended.until - ended.since), ticks: ended.ticks };
      journal.append({ v, record: 'refusal-end', service, of: id, ...end });
      const over = { ...ended.first, ended: end };
      const index = this.#refusals.findLastIndex((each) => each.id === id);
      if (index >= 0) this.#refusals[index] = over;
      this.#listener.refusalEnded(over);
    }
    if (begun?.first !== undefined) {
      const { ended: _, ...refusal } = begun.first;
      journal.append({ v, record: 'refusal', ...refusal });
      push(this.#refusals, begun.first);
      this.#listener.refusalBegun(begun.first);
    }
  }

  #restore(entry: DecisionEntry): void {
    if (entry.action !== 'none') push(this.#changes, entry);
    else if (entry.ended !== null) push(this.#refusals, entry);
    else {
      const { clock } = this.#context;
      const lastedMs = Math.max(0, clock.wall() - Date.parse(entry.at));
      push(this.#refusals, { ...entry, ended: { at: new Date(clock.wall()).toISOString(), lastedMs, ticks: null } });
    }
  }

  #stamp(): { id: string; at: string; service: string } {
    const wall = this.#context.clock.wall();
    this.#count++;
    const id = `${Math.floor(wall).toString(36)}-${this.#count.toString(36)}`;
    return { id, at: new Date(wall).toISOString(), service: this.#service };
  }
}

/** A refusal whose numbers change but whose guards stay is the same refusal. */
function keyOf({ kind, verdicts }: New<Refusal>): string {
  const blocks = verdicts.filter(({ verdict }) => verdict === 'block').map(({ guard }) => guard);
  return `${kind}: ${blocks.join()}`;
}

function push<Entry>(entries: Entry[], entry: Entry): void {
  entries.push(entry);
  if (entries.length > KEPT) entries.shift();
}
