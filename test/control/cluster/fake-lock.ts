import type { LeaderLock, LockState, MemberRecord } from '../../../src/model/cluster.ts';
import { PilotlightError } from '../../../src/model/errors.ts';
import { type Clock, sleep } from '../../../src/util/clock.ts';

interface Session {
  member: MemberRecord;
  /** When it ends unless it is renewed. */
  endsAt: number;
}

/** What Consul does with sessions and one lock: it keeps a dead session for twice its TTL at most, and the lock a second longer. */
export class FakeConsul {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #sessions = new Map<string, Session>();
  readonly #watchers = new Set<() => void>();
  readonly records = new Map<string, MemberRecord>();
  holder: string | undefined;
  #leader: MemberRecord | undefined;
  #index = 10;
  #lockIndex = 0;
  #freeFrom = 0;
  #count = 0;
  /** Nobody gets an answer. */
  isAway = false;
  /** For how many TTLs it keeps a session that is not renewed: 1 to 2. */
  keepTtls = 2;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    clock.every(100, () => this.#expire());
  }

  get state(): LockState {
    const leader = this.holder === undefined ? undefined : this.#leader;
    return {
      session: this.holder,
      index: this.#lockIndex,
      leader: leader && { member: leader.member, address: leader.address, index: this.#lockIndex },
      members: [...this.records.values()],
    };
  }

  open(member: MemberRecord): string {
    const session = `session-${++this.#count}`;
    this.#sessions.set(session, { member, endsAt: this.#endsAt });
    return session;
  }

  renew(session: string): boolean {
    const known = this.#sessions.get(session);
    if (known !== undefined) known.endsAt = this.#endsAt;
    return known !== undefined;
  }

  acquire(session: string): boolean {
    const known = this.#sessions.get(session);
    const isFree = this.holder === undefined && this.#clock.now() >= this.#freeFrom;
    if (known === undefined || !(isFree || this.holder === session)) return false;
    this.holder = session;
    this.#leader = known.member;
    this.#changed();
    return true;
  }

  /** @param delayMs before anybody gets the lock that it had */
  end(session: string, delayMs = 0): void {
    this.#sessions.delete(session);
    if (this.holder !== session) return;
    this.holder = undefined;
    this.#freeFrom = this.#clock.now() + delayMs;
    this.#changed();
  }

  enter(record: MemberRecord): void {
    this.records.set(record.member, record);
    this.#tell();
  }

  leave(member: string): void {
    this.records.delete(member);
    this.#tell();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get #endsAt(): number {
    return this.#clock.now() + this.keepTtls * this.#ttlMs;
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const [session, { endsAt }] of this.#sessions) if (endsAt <= now) this.end(session, 1000);
  }

  #changed(): void {
    this.#lockIndex = ++this.#index;
    this.#tell();
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** One member's way to it: slow, and cut at times. What was under way when it is cut has been done or not. */
export class FakeLock implements LeaderLock {
  readonly #consul: FakeConsul;
  readonly #clock: Clock;
  readonly #record: MemberRecord;
  isCut = false;
  /** A question or its answer takes so long, ms. */
  latencyMs = 5;

  constructor(consul: FakeConsul, clock: Clock, member: string) {
    this.#consul = consul;
    this.#clock = clock;
    this.#record = { member, address: { host: member, port: 1 }, index: 0 };
  }

  open = (signal: AbortSignal) => this.#call(signal, () => this.#consul.open(this.#record));
  renew = (session: string, signal: AbortSignal) => this.#call(signal, () => this.#consul.renew(session));
  acquire = (session: string, signal: AbortSignal) => this.#call(signal, () => this.#consul.acquire(session));
  end = (session: string, signal: AbortSignal) => this.#call(signal, () => this.#consul.end(session));
  enter = (record: MemberRecord, signal: AbortSignal) => this.#call(signal, () => this.#consul.enter(record));
  leave = (member: string, signal: AbortSignal) => this.#call(signal, () => this.#consul.leave(member));
  look = (signal: AbortSignal) => this.#call(signal, () => this.#consul.state);

  follow(take: (state: LockState) => void, signal: AbortSignal): void {
    const tell = () => {
      const { state } = this.#consul;
      if (!this.#isAway) this.#clock.after(this.latencyMs, () => !signal.aborted && !this.#isAway && take(state));
    };
    const end = this.#consul.watch(tell);
    // What was missed while it was cut is told later.
    const again = this.#clock.every(500, tell);
    signal.addEventListener('abort', () => {
      end();
      again.cancel();
    });
    tell();
  }

  get #isAway(): boolean {
    return this.isCut || this.#consul.isAway;
  }

  async #call<T>(signal: AbortSignal, act: () => T): Promise<T> {
    await sleep(this.#clock, this.latencyMs, signal);
    if (this.#isAway) {
      await sleep(this.#clock, 1000, signal);
      throw new PilotlightError('DISCOVERY_UNREACHABLE', 'Consul does not answer');
    }
    const result = act();
    await sleep(this.#clock, this.latencyMs, signal);
    if (this.#isAway) throw new PilotlightError('DISCOVERY_UNREACHABLE', 'Consul does not answer');
    return result;
  }
}
