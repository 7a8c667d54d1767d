import type { LeaderCalls } from '../../../model/cluster.ts';
import { type ErrorCode, errorKinds, PilotlightError, toPilotlightError } from '../../../model/errors.ts';
import type { Clock } from '../../../util/clock.ts';
import { type Frame, Kind, pack, unpack } from './frame.ts';
import type { Peer } from './peer.ts';

/** The leader answers a call within this time, ms; a lost link ends it sooner. */
const CALL_MS = 120_000;
/** Calls and streams of one member that are open at once. */
const MAX_OPEN = 1024;

type Answer = Parameters<LeaderCalls['serve']>[0];

interface PendingCall {
  resolve: (value: unknown) => void;
  reject: (error: PilotlightError) => void;
}

interface OpenStream {
  method: string;
  args: unknown[];
  take: (item: unknown) => void;
}

/** Asks the leader, wherever it is: this member itself, or another one over the wire. */
export class Calls implements LeaderCalls {
  readonly #clock: Clock;
  /** Where calls go to: this member, another one, or nobody. */
  #target: 'self' | Peer | undefined;
  #answer: Answer | undefined;
  #count = 0;
  readonly #calls = new Map<number, PendingCall>();
  readonly #streams = new Map<number, OpenStream>();
  /** By stream: ends it, while this member leads. */
  readonly #own = new Map<number, AbortController>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  serve(answer: Answer): void {
    this.#answer = answer;
    if (this.#target === 'self') for (const number of this.#streams.keys()) this.#begin(number);
  }

  /** Who leads is another one from here on. */
  target(target: 'self' | Peer | undefined): void {
    this.#target = target;
    for (const abort of this.#own.values()) abort.abort();
    this.#own.clear();
    for (const { reject } of [...this.#calls.values()]) reject(unled());
    for (const number of this.#streams.keys()) this.#begin(number);
  }

  call(method: string, args: unknown[], signal: AbortSignal): Promise<unknown> {
    const target = this.#target;
    const answer = this.#answer;
    if (target === 'self' && answer !== undefined) return answer(method, args, () => undefined, signal);
    if (target === undefined || target === 'self') return Promise.reject(unled());
    if (signal.aborted) return Promise.reject(signal.reason);
    const number = ++this.#count;
    return new Promise((resolve, reject) => {
      const packed = pack({ method, args });
      const done = () => {
        this.#calls.delete(number);
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        done();
        target.send(Kind.CANCEL, number);
        reject(signal.reason);
      };
      const timer = this.#clock.after(CALL_MS, () => {
        done();
        target.send(Kind.CANCEL, number);
        reject(unled());
      });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#calls.set(number, {
        resolve: (value) => {
          done();
          resolve(value);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      target.sendPacked(Kind.CALL, number, packed);
    });
  }

  stream(method: string, args: unknown[], take: (item: unknown) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    const number = ++this.#count;
    this.#streams.set(number, { method, args, take });
    signal.addEventListener('abort', () => this.#end(number), { once: true });
    this.#begin(number);
  }

  /** A frame of the leader. @returns whether it was about a call */
  onFrame(frame: Frame): boolean {
    const { kind, channel } = frame;
    if (kind === Kind.ITEM) this.#streams.get(channel)?.take(unpack(frame));
    else if (kind === Kind.ANSWER) this.#calls.get(channel)?.resolve(unpack(frame));
    else if (kind === Kind.FAULT) this.#calls.get(channel)?.reject(thrownBy(unpack(frame)));
    else return false;
    return true;
  }

  /** Answers a member's calls, while this one leads. */
  serveMember(peer: Peer): MemberCalls {
    return new MemberCalls(peer, (...args) => {
      const answer = this.#answer;
      return this.#target === 'self' && answer !== undefined ? answer(...args) : Promise.reject(unled());
    });
  }

  #begin(number: number): void {
    const stream = this.#streams.get(number);
    const target = this.#target;
    if (stream === undefined || target === undefined) return;
    const { method, args, take } = stream;
    if (target !== 'self') {
      target.send(Kind.STREAM, number, { method, args });
      return;
    }
    if (this.#answer === undefined) return;
    this.#own.get(number)?.abort();
    const abort = new AbortController();
    this.#own.set(number, abort);
    // What a stream comes to is told by its items alone.
    this.#answer(method, args, take, abort.signal).catch(() => undefined);
  }

  #end(number: number): void {
    this.#streams.delete(number);
    this.#own.get(number)?.abort();
    this.#own.delete(number);
    if (this.#target !== undefined && this.#target !== 'self') this.#target.send(Kind.CANCEL, number);
  }
}

/** The calls and streams of one member, as the leader answers them. */
export class MemberCalls {
  readonly #peer: Peer;
  readonly #answer: Answer;
  readonly #open = new Map<number, AbortController>();

  constructor(peer: Peer, answer: Answer) {
    this.#peer = peer;
    this.#answer = answer;
  }

  /** @returns whether the frame was about a call */
  onFrame(frame: Frame): boolean {
    if (frame.kind === Kind.CANCEL) this.#open.get(frame.channel)?.abort();
    else if (frame.kind === Kind.CALL || frame.kind === Kind.STREAM) this.#begin(frame);
    else return false;
    return true;
  }

  close(): void {
    for (const abort of this.#open.values()) abort.abort();
  }

  #begin(frame: Frame): void {
    const { channel, kind } = frame;
    const { method, args } = unpack(frame) as { method: string; args: unknown[] };
    if (this.#open.size >= MAX_OPEN) {
      this.#fail(channel, new PilotlightError('CLUSTER_UNLED', 'too many questions at once'));
      return;
    }
    const abort = new AbortController();
    this.#open.set(channel, abort);
    const emit = (item: unknown) => {
      if (!abort.signal.aborted) this.#peer.send(Kind.ITEM, channel, item);
    };
    const answered = this.#answer(method, args, emit, abort.signal);
    void answered.then(
      (value) => this.#settle(channel, abort, kind, () => this.#peer.send(Kind.ANSWER, channel, value)),
      (error: unknown) => this.#settle(channel, abort, kind, () => this.#fail(channel, error)),
    );
  }

  #settle(channel: number, abort: AbortController, kind: number, tell: () => void): void {
    if (kind === Kind.CALL) {
      this.#open.delete(channel);
      if (abort.signal.aborted) return;
      try {
        tell();
      } catch (error) {
        this.#fail(channel, error);
      }
    } else abort.signal.addEventListener('abort', () => this.#open.delete(channel), { once: true });
    if (abort.signal.aborted) this.#open.delete(channel);
  }

  #fail(channel: number, error: unknown): void {
    const { code, message } = toPilotlightError(error);
    this.#peer.send(Kind.FAULT, channel, { code, message });
  }
}

/** What the leader threw. */
function thrownBy(value: unknown): PilotlightError {
  const { code, message } = (value ?? {}) as { code?: unknown; message?: unknown };
  const isKnown = typeof code === 'string' && code in errorKinds;
  return new PilotlightError(isKnown ? (code as ErrorCode) : 'INTERNAL', String(message));
}

function unled(): PilotlightError {
  return new PilotlightError('CLUSTER_UNLED', 'nobody leads the cluster, or the leader does not answer');
}
