import type { Declaration, DeclarationSource, DeclarationStatus } from '../../model/declarations.ts';
import type { EventType } from '../../model/events.ts';
import type { Settings } from '../../model/settings.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { type BucketRate, fullBucket, takeToken, untilToken } from '../../util/token-bucket.ts';
import { Damper } from './damper.ts';
import { createReader, idOf, type Merged, mergeDeclarations, type Reader } from './merge.ts';

interface DeclaredOptions {
  /** The file, as it is in force. */
  file: Settings;
  sources: readonly DeclarationSource[];
  /** What was known before, which holds until the sources say something; nothing unless told. */
  known?: readonly Declaration[] | undefined;
  clock: Clock;
  /** What is declared has changed: `merge` tells it. */
  onChange: () => void;
  tell: (type: EventType, message: string, data: Record<string, string>) => void;
}

/** What comes within this is taken together, ms: the containers of a stack are made one after the other. */
const TOGETHER_MS = 10;
/** After so long it is looked again where what was merged could not be put in force, ms. */
const AGAIN_MS = 10_000;
/** How often the table may change for what is declared: ten times at once, then once a second. */
const RATE: BucketRate = { burst: 10, perMinute: 60 };

/** Services that are declared by others, put under those of the file. */
export class DeclaredServices {
  readonly #options: DeclaredOptions;
  readonly #damper = new Damper(idOf);
  /** What each source said last. */
  readonly #sets: Map<string, readonly Declaration[]>;
  readonly #haveAnswered = new Set<string>();
  readonly #life = new AbortController();
  #file: Settings;
  #read: Reader;
  #held: readonly Declaration[] = [];
  #restless: ReadonlySet<string> = new Set();
  #right: ReadonlyMap<string, Declaration> = new Map();
  #standing: readonly DeclarationStatus[] = [];
  #bucket;
  #next: { timer: Timer; at: number } | undefined;
  #answered: (isWhole: boolean) => void = () => undefined;

  constructor(options: DeclaredOptions) {
    this.#options = options;
    this.#file = options.file;
    this.#read = createReader(options.file);
    const names = new Set(options.sources.map(({ name }) => name));
    const known = options.known?.filter(({ source }) => names.has(source)) ?? [];
    this.#sets = Map.groupBy(known, ({ source }) => source);
    this.#bucket = fullBucket(RATE, options.clock.now());
  }

  /** Every declaration, the older before the younger. */
  get standing(): readonly DeclarationStatus[] {
    return this.#standing;
  }

  /** What each source said last. */
  get known(): readonly Declaration[] {
    return [...this.#sets.values()].flat();
  }

  /**
   * Follows the sources; resolves when each has said something, or after a while.
   * @param limitMs the longest that is waited
   * @returns whether each has said something
   */
  begin(limitMs: number): Promise<boolean> {
    const { sources, clock } = this.#options;
    const answered = new Promise<boolean>((resolve) => {
      const timer = clock.after(limitMs, () => resolve(false));
      this.#answered = (isWhole) => {
        timer.cancel();
        resolve(isWhole);
      };
    });
    for (const source of sources) {
      source.run((declarations) => this.#take(source.name, declarations), this.#life.signal);
    }
    return answered;
  }

  /** What the file and all declarations come to now. @param file another one, from now on */
  merge(file?: Settings): Settings {
    if (file !== undefined) {
      this.#file = file;
      this.#read = createReader(file);
    }
    const { clock } = this.#options;
    const { held, restless, againInMs } = this.#damper.take(this.known, clock.now());
    this.#held = held;
    this.#restless = restless;
    if (againInMs !== undefined) this.#look(againInMs);
    const merged = mergeDeclarations(this.#file, this.#held, this.#right, this.#read);
    this.#right = merged.right;
    this.#say(merged);
    return merged.settings;
  }

  /** What was merged last could not be put in force: there is a change again in a while. */
  again(): void {
    this.#look(AGAIN_MS);
  }

  close(): void {
    this.#life.abort();
    this.#answered(false);
    this.#next?.timer.cancel();
  }

  #take(source: string, declarations: readonly Declaration[]): void {
    this.#sets.set(source, declarations);
    this.#haveAnswered.add(source);
    if (this.#haveAnswered.size === this.#options.sources.length) this.#answered(true);
    this.#look(TOGETHER_MS);
  }

  /** Looks in so many ms, no more often than the table may change. */
  #look(inMs: number): void {
    if (this.#life.signal.aborted) return;
    const { clock, onChange } = this.#options;
    const now = clock.now();
    const at = now + Math.max(inMs, untilToken(this.#bucket, RATE, now));
    if (this.#next !== undefined && this.#next.at <= at) return;
    this.#next?.timer.cancel();
    const timer = clock.after(at - now, () => {
      this.#next = undefined;
      this.#bucket = takeToken(this.#bucket, RATE, clock.now());
      onChange();
    });
    this.#next = { timer, at };
  }

  /** Tells what of the standing has changed. */
  #say({ standing }: Merged): void {
    const { tell } = this.#options;
    const before = new Map(this.#standing.map((status) => [idOfStatus(status), status]));
    this.#standing = this.#restless.size === 0 ? standing : this.#withUnrest(standing);
    for (const status of this.#standing) {
      const former = before.get(idOfStatus(status));
      before.delete(idOfStatus(status));
      const fields = { service: status.service, by: status.title, source: status.source };
      const isIn = status.state === 'in force' || status.state === 'former';
      const wasIn = former?.state === 'in force' || former?.state === 'former';
      if (isIn && !wasIn) tell('declared', `${status.service} is declared by ${status.title}`, fields);
      if (!isIn && wasIn) tell('undeclared', `${status.service} is not declared by ${status.title} any more`, fields);
      for (const problem of news(status.problems, former?.problems)) {
        tell('declaration-refused', `${status.title}: ${problem}${outcome(status)}`, fields);
      }
      for (const remark of news(status.remarks, former?.remarks)) {
        tell('declaration-remark', `${status.title}: ${remark}`, fields);
      }
    }
    for (const { service, title, source, state } of before.values()) {
      const fields = { service, by: title, source };
      if (state === 'in force' || state === 'former') tell('undeclared', `${service} is gone with ${title}`, fields);
      else tell('declaration-remark', `${title} is gone, of which nothing was in force`, fields);
    }
  }

  #withUnrest(standing: readonly DeclarationStatus[]): DeclarationStatus[] {
    const restless = new Set(this.#held.filter((each) => this.#restless.has(idOf(each))).map(idOfStatus));
    return standing.map((status) => {
      if (!restless.has(idOfStatus(status))) return status;
      return { ...status, remarks: [...status.remarks, 'changes too often: what it said last holds for a while'] };
    });
  }
}

function idOfStatus({ source, title }: Pick<DeclarationStatus, 'source' | 'title'>): string {
  return `${source} ${title}`;
}

function news(lines: readonly string[], before: readonly string[] = []): string[] {
  return lines.filter((line) => !before.includes(line));
}

function outcome({ state }: DeclarationStatus): string {
  return state === 'former' ? ' (what it said before holds)' : '';
}
