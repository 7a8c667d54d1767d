import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { Certificate, CertificateFacts, CertificateNews, OrderState } from '../../model/certificates.ts';
import { PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { fileFault } from '../../util/file-errors.ts';
import { areFor } from '../certificate-names.ts';
import { judgeCertificate } from '../read-certificate.ts';
import { AuthorityError, nonsense } from './authority-error.ts';
import type { Issued, Issuer, Show } from './issuer.ts';
import { dueAt, type Event, type Failure, firstPhase, nextPhase, type Phase } from './phase.ts';
import type { Begun, CertificateStore } from './store.ts';

/** Longest timer, ms: the clock may be set meanwhile, or the machine sleep. */
const LOOK_MS = 3_600_000;

/** What a certificate is managed with. */
export interface ManagedOptions {
  host: string;
  store: CertificateStore;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** Resolves when this process may act: at once where it is alone. */
  right: (signal: AbortSignal) => Promise<void>;
  /** Runs a step of an order when it is its turn. */
  turn: <T>(step: () => Promise<T>) => Promise<T>;
  tell: (news: CertificateNews) => void;
  warn: (message: string) => void;
  /** What is to be served changed. */
  onChange: () => void;
}

/** Whom it is ordered from, and how proofs are shown there. Replaced by a reload. */
export interface OrderWay {
  /** @throws CERTIFICATE_UNUSABLE where a file that is named for it cannot be read */
  issuer: () => Promise<Issuer>;
  show: Show;
  /** Host name of the authority. */
  authority: string;
}

interface Known {
  certificate: Certificate;
  facts: CertificateFacts;
}

/** The certificate of one host: ordered, kept, and renewed, until it is ended. It acts between `start` and `pause` alone. */
export class ManagedCertificate {
  readonly host: string;
  readonly #options: ManagedOptions;
  way: OrderWay;
  #phase: Phase = { name: 'ordering', failures: 0 };
  #known: Known | undefined;
  #failure: Failure | undefined;
  #begun: Begun | undefined;
  #timer: Timer | undefined;
  #active: AbortController | undefined;
  #step: Promise<void> = Promise.resolve();

  constructor(options: ManagedOptions, way: OrderWay) {
    this.host = options.host;
    this.#options = options;
    this.way = way;
  }

  /** Takes what is kept of it, unless it acts. Never rejects. @returns whether another certificate is to be served than before */
  async load(): Promise<boolean> {
    if (this.#active !== undefined) return false;
    const { store, warn } = this.#options;
    const before = this.#known;
    const reading = await store.read(this.host);
    if (reading !== undefined && 'fault' in reading) warn(`${reading.fault}: another one is ordered`);
    else this.#known = reading ?? before;
    this.#failure = await store.readFailure(this.host);
    return this.#known?.certificate.id !== before?.certificate.id;
  }

  /** Undefined: there is none yet. */
  get known(): Known | undefined {
    return this.#known;
  }

  get state(): { state: OrderState; renewAt: number | undefined; failure: Failure | undefined } {
    const phase = this.#phase;
    const waits = phase.name === 'served' || phase.name === 'asking';
    const state = waits ? 'served' : phase.name === 'backing-off' ? phase.name : 'ordering';
    return { state, renewAt: waits ? phase.renewAt : undefined, failure: this.#failure };
  }

  /** As far as it can be told where another process sees to it. */
  get byOthers(): ManagedCertificate['state'] {
    const failure = this.#failure;
    const state = failure !== undefined ? 'backing-off' : this.#known === undefined ? 'ordering' : 'served';
    return { state, renewAt: undefined, failure };
  }

  /** Begins to act, as after a restart; does nothing where it acts already. */
  start(): void {
    if (this.#active !== undefined) return;
    this.#active = new AbortController();
    const { clock, random } = this.#options;
    this.#enter(firstPhase(this.#known?.facts, this.#failure, clock.wall(), random()));
  }

  /** Acts no more; resolves when nothing of it is under way. Its certificate stays. */
  async pause(): Promise<void> {
    this.#active?.abort();
    this.#active = undefined;
    this.#timer?.cancel();
    await this.#step;
  }

  /** Tries what failed again. @param isOther it is ordered otherwise from now on */
  hurry(isOther: boolean): void {
    if (this.#active !== undefined) this.#take({ type: 'hurry', isOther });
  }

  // ── from phase to phase ───────────────────────────────────────────────────────────────────────────────────────────

  #take(event: Event): void {
    const { clock, random } = this.#options;
    const next = nextPhase(this.#phase, event, clock.wall(), random());
    if (next === this.#phase) this.#wait();
    else this.#enter(next);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    if (phase.name === 'backing-off') this.#step = this.#onFailed(phase);
    if (dueAt(phase) === undefined) this.#step = this.#work(phase.name, (this.#active as AbortController).signal);
    else this.#wait();
  }

  #wait(): void {
    const due = dueAt(this.#phase);
    this.#timer?.cancel();
    if (due === undefined) return;
    const { clock } = this.#options;
    const ms = Math.min(LOOK_MS, Math.max(0, due - clock.wall()));
    this.#timer = clock.after(ms, () => this.#take({ type: 'due' }));
  }

  /** Does what a phase is for. Never rejects. */
  async #work(name: Phase['name'], signal: AbortSignal): Promise<void> {
    let event: Event;
    try {
      event = await this.#options.turn(async () => {
        signal.throwIfAborted();
        await this.#options.right(signal);
        return this.#do(name, await this.way.issuer(), signal);
      });
    } catch (error) {
      const { message } = toPilotlightError(error);
      const retryAfterMs = error instanceof AuthorityError ? error.retryAfterMs : undefined;
      event = { type: 'failed', why: message, retryAfterMs };
    }
    if (!signal.aborted) this.#take(event);
  }

  async #do(name: Phase['name'], issuer: Issuer, signal: AbortSignal): Promise<Event> {
    const { host } = this;
    switch (name) {
      case 'ordering':
        this.#begun = (await this.#resumed(issuer, signal)) ?? (await this.#ordered(issuer, signal));
        return { type: 'ordered' };
      case 'proving':
        await issuer.prove((this.#begun as Begun).order, host, this.way.show, signal);
        return { type: 'proven' };
      case 'finishing': {
        const { order, key } = this.#begun as Begun;
        return this.#accept(await issuer.finish(order, host, key, signal));
      }
      default:
        return this.#ask(issuer, signal);
    }
  }

  /**
   * An order that was begun by who did this before: the same is not ordered twice. One whose place another certificate has
   * taken since was left behind, and would bring an earlier one back.
   */
  async #resumed(issuer: Issuer, signal: AbortSignal): Promise<Begun | undefined> {
    const begun = await this.#options.store.readOrder(this.host);
    if (begun === undefined || begun.replaces !== this.#known?.certificate.id) return undefined;
    const order = await issuer.resume(begun.order, signal);
    return order && { ...begun, order };
  }

  async #ordered(issuer: Issuer, signal: AbortSignal): Promise<Begun> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const replaces = this.#known?.certificate.id;
    const begun = { order: await issuer.order(this.host, this.#x509, signal), key, replaces };
    await this.#keepOrder(begun);
    return begun;
  }

  /** @param begun undefined: it has ended */
  async #keepOrder(begun: Begun | undefined): Promise<void> {
    const { store, warn } = this.#options;
    await store
      .writeOrder(this.host, begun)
      .catch((error: unknown) => warn(`an order for ${this.host} cannot be kept: ${whyNotKept(error)}`));
  }

  async #ask(issuer: Issuer, signal: AbortSignal): Promise<Event> {
    const life = (this.#known as Known).facts;
    const advice = await issuer.advice(this.#x509 as X509Certificate, signal);
    return { type: 'advised', life, window: advice, againMs: advice?.retryAfterMs };
  }

  get #x509(): X509Certificate | undefined {
    return this.#known && new X509Certificate(this.#known.certificate.chain);
  }

  // ── outcomes ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a new certificate in the place of the one before, once it is known to be of use. */
  async #accept(issued: Issued): Promise<Event> {
    const { store, clock, tell, warn, onChange } = this.#options;
    const { host } = this;
    const file = store.fileOf(host);
    const reading = judgeCertificate(issued.chain, issued.key, { cert: file, key: undefined });
    if ('fault' in reading) throw nonsense(`a certificate that cannot be used: ${reading.fault}`);
    const { facts } = reading;
    if (!areFor(facts.names, host)) throw nonsense('a certificate for another host');
    if (facts.notAfter <= clock.wall()) throw nonsense('a certificate that has expired');
    const isFirst = this.#known === undefined;
    this.#known = reading;
    this.#failure = undefined;
    try {
      await store.write(host, issued);
      await store.writeFailure(host, undefined);
    } catch (error) {
      warn(`the certificate for ${host} cannot be kept over a restart: ${whyNotKept(error)}`);
    }
    await this.#keepOrder(undefined);
    const until = new Date(facts.notAfter).toISOString();
    const what = isFirst ? 'issued' : 'renewed';
    tell({
      type: `certificate-${what}`,
      message: `certificate for ${host} ${what} by ${facts.issuer}, until ${until}`,
      host,
    });
    onChange();
    return { type: 'issued', life: facts };
  }

  /** Never rejects. */
  async #onFailed({ name: _name, ...failure }: Extract<Phase, { name: 'backing-off' }>): Promise<void> {
    const { store, tell, warn, onChange } = this.#options;
    const { host } = this;
    const isNew = failure.since !== this.#failure?.since;
    this.#failure = failure;
    if (!isNew) return;
    const kept = store
      .writeFailure(host, failure)
      .catch((error: unknown) => warn(`a failed order cannot be kept: ${whyNotKept(error)}`));
    const dropped = this.#keepOrder(undefined);
    const nextTryAt = new Date(failure.until).toISOString();
    const served =
      this.#known === undefined
        ? 'there is none'
        : `the one until ${new Date(this.#known.facts.notAfter).toISOString()} is served on`;
    const message = `no certificate for ${host} from ${this.way.authority}: ${failure.why}; ${served}, tried again at ${nextTryAt}`;
    tell({ type: 'certificate-failed', message, host, nextTryAt });
    onChange();
    await Promise.all([kept, dropped]);
  }
}

/** Why something could not be kept, in words. */
export function whyNotKept(error: unknown): string {
  return error instanceof PilotlightError ? error.message : fileFault(error);
}
