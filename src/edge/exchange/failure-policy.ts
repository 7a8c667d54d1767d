import type { RefusalCode } from '../../model/refusals.ts';
import type { UpstreamFailure } from '../upstream/carrier.ts';

/**
 * What went wrong between the proxy and an endpoint. `refused`: it took no connection. `timeout`: nothing happened in
 * time. `reset`: the connection closed. `idled`: a kept connection closed before a byte of an answer. `protocol`: the
 * answer is not valid. `unasked`: a 101 came that the request does not ask for. `unproven`: the connection may lead to
 * another program.
 */
export type Failure = UpstreamFailure | 'idled' | 'unasked' | 'unproven';

/** How far the request had got. `interim`: it was sent, and an interim response or a part of a head came. */
export type FailedPhase = 'connecting' | 'sent' | 'interim' | 'streaming' | 'tunnel';

/** What follows a failure. */
export interface Verdict {
  /**
   * What the client gets if no other attempt follows: a refusal. `cut`: its answer has begun and is broken off.
   * `farewell`: its tunnel is closed in order.
   */
  readonly answer: RefusalCode | 'cut' | 'farewell';
  /**
   * Whether another attempt follows, if the request may be sent again. `same`: on this endpoint, once there is room.
   */
  readonly retry: 'other' | 'same' | 'none';
  /**
   * What it says about the endpoint. `judged`: one failure towards its ejection. `questioned`: that, and it is asked
   * whether it speaks TLS. `suspected`: no other request goes there for a moment.
   */
  readonly endpoint: 'spared' | 'judged' | 'questioned' | 'suspected';
  /** What it counts as. Neither counts nor judges a reset when the client had kept the endpoint waiting. */
  readonly counts: 'resets' | undefined;
}

function verdict(
  answer: Verdict['answer'],
  retry: Verdict['retry'],
  endpoint: Verdict['endpoint'],
  counts?: Verdict['counts'],
): Verdict {
  return { answer, retry, endpoint, counts };
}

const want = verdict('OUT_OF_RESOURCES', 'same', 'spared');
const noAnswer = verdict('FIRST_BYTE_TIMEOUT', 'none', 'judged');
const badAnswer = verdict('BAD_RESPONSE', 'none', 'judged', 'resets');
const untrusted = verdict('TLS_FAILED', 'other', 'judged');
const unasked = verdict('BAD_RESPONSE', 'none', 'spared');

/** A failure that is not listed in a phase is treated as a reset there. */
export const failurePolicy: Record<FailedPhase, { reset: Verdict } & Partial<Record<Failure, Verdict>>> = {
  connecting: {
    refused: verdict('CONNECT_REFUSED', 'other', 'suspected'),
    timeout: verdict('CONNECT_TIMEOUT', 'other', 'suspected'),
    reset: verdict('CONNECT_REFUSED', 'other', 'spared'),
    tls: untrusted,
    // It speaks something else than HTTP/2.
    protocol: verdict('CONNECT_REFUSED', 'other', 'judged'),
    want,
  },
  sent: {
    // An engine connects only when there is a request to send.
    refused: verdict('CONNECT_REFUSED', 'other', 'suspected', 'resets'),
    timeout: noAnswer,
    reset: verdict('UPSTREAM_RESET', 'other', 'questioned', 'resets'),
    // This only says that the connection was idle for too long.
    idled: verdict('UPSTREAM_RESET', 'other', 'spared'),
    protocol: badAnswer,
    // It may have read the request before it looked at our certificate, but it has not said so.
    tls: { ...untrusted, retry: 'none' },
    unprocessed: verdict('UPSTREAM_DECLINED', 'other', 'spared'),
    tunnel: verdict('UPGRADE_UNSUPPORTED', 'none', 'spared'),
    unasked,
    want,
  },
  interim: {
    timeout: noAnswer,
    reset: verdict('UPSTREAM_RESET', 'none', 'judged', 'resets'),
    protocol: badAnswer,
    unasked,
  },
  streaming: {
    timeout: verdict('cut', 'none', 'spared'),
    reset: verdict('cut', 'none', 'judged', 'resets'),
    want: verdict('cut', 'none', 'spared'),
  },
  tunnel: {
    timeout: verdict('farewell', 'none', 'spared'),
    reset: verdict('cut', 'none', 'judged', 'resets'),
  },
};

/** Returns what follows a failure in a phase. */
export function verdictOn(failure: Failure, phase: FailedPhase): Verdict {
  const known = failurePolicy[phase];
  return known[failure] ?? known.reset;
}
