import type { ExchangeFacts } from '../answer/access-record.ts';
import type { FaultText } from '../http1/faults.ts';
import type { CompiledRules, RuledRequest } from '../route/compiled-rules.ts';
import type { Route } from '../route/route-compiler.ts';
import type { Carrier, UpstreamFailure } from '../upstream/carrier.ts';
import type { Downstream } from './downstream.ts';
import type { FailedPhase, Failure } from './failure-policy.ts';
import type { RequestBuffer } from './request-buffer.ts';
import type { Retries } from './retries.ts';

/** The request that is transferred, and its answer. */
export interface Transferred extends RuledRequest {
  readonly client: Downstream;
  readonly facts: ExchangeFacts;
  /** The part of its body that is kept. */
  readonly body: RequestBuffer;
  readonly retries: Retries;
  /** Rules of its route. */
  readonly rules: CompiledRules | undefined;
  readonly route: Pick<Route, 'compression'> | undefined;
  /** It counts as load of its service. */
  readonly isLoad: boolean;
  /** Its client closed its sending side, and still waits for the answer. */
  readonly isHalfClosed: boolean;
  /** The answer has been passed on to its end. @param now the clock's ms */
  onDone(now?: number): void;
}

/** Who is told that a transfer failed. */
export interface TransferOwner {
  /** Nothing else that counts as load was in flight on its endpoint when it was dispatched. */
  readonly isCalm: boolean;
  /** A connection failed: says why, where somebody has to mend that. */
  noteFailure(connection: Carrier, failure: UpstreamFailure): void;
  /** @param fault what was broken, where something was */
  fail(failure: Failure, phase: FailedPhase, fault?: FaultText): void;
}
