import type { Logger } from '../../model/observe.ts';
import type { SharedProof } from '../../model/shared-secrets.ts';
import type { Clock } from '../../util/clock.ts';

/** What the leader tells the others. */
export type SecretsItem =
  /** Changes; `names`: all that there are, where these changes are the last of all. */
  | { type: 'values'; leader: string; values: [name: string, text: string | null][]; names: string[] | null }
  | { type: 'proofs'; number: number; proofs: SharedProof[] };

interface Viewer {
  has: Readonly<Record<string, string>>;
  emit: (item: SecretsItem) => void;
  /** The last proofs that it said it shows. */
  shown: number;
}

/** Values that go in one message. */
const AT_ONCE = 100;
/** How long members are waited for until they show a proof, ms: an authority may ask one that does not, and refuse. */
const SHOW_MS = 5000;

/** The members that the leader tells its secrets. */
export class Viewers {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #self: string;
  readonly #values: ReadonlyMap<string, string>;
  readonly #digests: Readonly<Record<string, string>>;
  /** By run of a member. */
  readonly #viewers = new Map<string, Viewer>();
  #isOpen = false;
  #proofs: SharedProof[] = [];
  #number = 0;
  readonly #waiting = new Set<() => void>();

  /** @param digests of the values */
  constructor(
    clock: Clock,
    logger: Logger,
    self: string,
    values: ReadonlyMap<string, string>,
    digests: Readonly<Record<string, string>>,
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#self = self;
    this.#values = values;
    this.#digests = digests;
  }

  /** @param has digests of the values that it has */
  add(run: string, has: Record<string, string>, emit: Viewer['emit'], signal: AbortSignal): void {
    if (signal.aborted) return;
    const viewer: Viewer = { has, emit, shown: 0 };
    this.#viewers.set(run, viewer);
    signal.addEventListener(
      'abort',
      () => {
        if (this.#viewers.get(run) === viewer) this.#viewers.delete(run);
        this.#look();
      },
      { once: true },
    );
    if (this.#isOpen) this.#tellAll(viewer);
  }

  /** There is something to tell from here on. */
  open(): void {
    this.#isOpen = true;
    for (const viewer of this.#viewers.values()) this.#tellAll(viewer);
  }

  close(): void {
    this.#isOpen = false;
    this.#proofs = [];
    this.#viewers.clear();
    this.#look();
  }

  /** Tells how a value is now. */
  tell(name: string): void {
    if (!this.#isOpen) return;
    const item = this.#item([[name, this.#values.get(name) ?? null]], false);
    for (const { emit } of this.#viewers.values()) emit(item);
  }

  /** See `SharedSecrets.show`. */
  show(proofs: SharedProof[]): Promise<void> {
    const number = ++this.#number;
    this.#proofs = proofs;
    for (const { emit } of this.#viewers.values()) emit({ type: 'proofs', number, proofs });
    // What is hidden may be so later.
    if (proofs.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const areMissing = () => [...this.#viewers.values()].filter(({ shown }) => shown < number).length;
      const timer = this.#clock.after(SHOW_MS, () => {
        const members = areMissing();
        this.#logger.warn(
          { members },
          'members do not say that they answer the authority for a host: it is asked anyhow',
        );
        done();
      });
      const look = () => areMissing() === 0 && done();
      this.#waiting.add(look);
      look();
    });
  }

  /** A member shows the proofs of this number. */
  shown(run: string, number: number): void {
    const viewer = this.#viewers.get(run);
    if (viewer !== undefined) viewer.shown = Math.max(viewer.shown, number);
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Tells a member what it has not. */
  #tellAll({ has, emit }: Viewer): void {
    const missing = [...this.#values].filter(([name]) => has[name] !== this.#digests[name]);
    do emit(this.#item(missing.splice(0, AT_ONCE), missing.length === 0));
    while (missing.length > 0);
    emit({ type: 'proofs', number: this.#number, proofs: this.#proofs });
  }

  #item(values: [string, string | null][], isLast: boolean): SecretsItem {
    return { type: 'values', leader: this.#self, values, names: isLast ? [...this.#values.keys()] : null };
  }
}
