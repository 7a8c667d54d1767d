import { describe, expect, test } from 'vitest';
import {
  type FailedPhase,
  type Failure,
  failurePolicy,
  type Verdict,
  verdictOn,
} from '../../../src/edge/exchange/failure-policy.ts';
import { refusals } from '../../../src/model/refusals.ts';

type Row = [Failure, Verdict['answer'], Verdict['retry'], Verdict['endpoint'], Verdict['counts']];

/** What follows each failure that can happen in a phase: answer, retry, what it says of the endpoint, what it counts as. */
const TABLE: Record<FailedPhase, Row[]> = {
  connecting: [
    ['refused', 'CONNECT_REFUSED', 'other', 'suspected', undefined],
    ['timeout', 'CONNECT_TIMEOUT', 'other', 'suspected', undefined],
    ['reset', 'CONNECT_REFUSED', 'other', 'spared', undefined],
    ['protocol', 'CONNECT_REFUSED', 'other', 'judged', undefined],
    ['tls', 'TLS_FAILED', 'other', 'judged', undefined],
    ['unproven', 'CONNECT_REFUSED', 'other', 'spared', undefined],
    ['want', 'OUT_OF_RESOURCES', 'same', 'spared', undefined],
  ],
  sent: [
    ['refused', 'CONNECT_REFUSED', 'other', 'suspected', 'resets'],
    ['timeout', 'FIRST_BYTE_TIMEOUT', 'none', 'judged', undefined],
    ['reset', 'UPSTREAM_RESET', 'other', 'questioned', 'resets'],
    ['idled', 'UPSTREAM_RESET', 'other', 'spared', undefined],
    ['protocol', 'BAD_RESPONSE', 'none', 'judged', 'resets'],
    ['tls', 'TLS_FAILED', 'none', 'judged', undefined],
    ['unprocessed', 'UPSTREAM_DECLINED', 'other', 'spared', undefined],
    ['tunnel', 'UPGRADE_UNSUPPORTED', 'none', 'spared', undefined],
    ['unasked', 'BAD_RESPONSE', 'none', 'spared', undefined],
    ['want', 'OUT_OF_RESOURCES', 'same', 'spared', undefined],
  ],
  interim: [
    ['timeout', 'FIRST_BYTE_TIMEOUT', 'none', 'judged', undefined],
    ['reset', 'UPSTREAM_RESET', 'none', 'judged', 'resets'],
    ['protocol', 'BAD_RESPONSE', 'none', 'judged', 'resets'],
    ['unasked', 'BAD_RESPONSE', 'none', 'spared', undefined],
  ],
  streaming: [
    ['timeout', 'cut', 'none', 'spared', undefined],
    ['reset', 'cut', 'none', 'judged', 'resets'],
    ['protocol', 'cut', 'none', 'judged', 'resets'],
    ['want', 'cut', 'none', 'spared', undefined],
  ],
  tunnel: [
    ['timeout', 'farewell', 'none', 'spared', undefined],
    ['reset', 'cut', 'none', 'judged', 'resets'],
  ],
};

const phases = Object.keys(failurePolicy) as FailedPhase[];
/** Every failure, so that the compiler names one that is missing here. */
const FAILURES: Record<Failure, true> = {
  refused: true,
  timeout: true,
  reset: true,
  idled: true,
  protocol: true,
  unasked: true,
  unproven: true,
  want: true,
  tls: true,
  unprocessed: true,
  tunnel: true,
};
const failures = Object.keys(FAILURES) as Failure[];

describe.each(phases)('while %s', (phase) => {
  test.each(TABLE[phase])('%s → %s, retry: %s, the endpoint is %s, counts: %s', (failure, ...row) => {
    const { answer, retry, endpoint, counts } = verdictOn(failure, phase);
    expect([answer, retry, endpoint, counts]).toEqual(row);
  });

  test('every entry of the policy stands in the table above', () => {
    const known = TABLE[phase].map(([failure]) => failure);
    expect(known).toEqual(expect.arrayContaining(Object.keys(failurePolicy[phase])));
  });

  test('every other failure is treated as a reset', () => {
    const known = TABLE[phase].map(([failure]) => failure);
    const others = failures.filter((failure) => !known.includes(failure));
    for (const failure of others) expect(verdictOn(failure, phase)).toBe(failurePolicy[phase].reset);
  });
});

test('nothing follows an answer that has begun but its end', () => {
  for (const phase of ['streaming', 'tunnel'] as const) {
    for (const { answer, retry } of Object.values(failurePolicy[phase])) {
      expect(Object.keys(refusals)).not.toContain(answer);
      expect(retry).toBe('none');
    }
  }
});

test('no request is sent again of which a byte of an answer came', () => {
  for (const phase of ['interim', 'streaming', 'tunnel'] as const)
    for (const { retry } of Object.values(failurePolicy[phase])) expect(retry).toBe('none');
});

test('a client may safely send again what we would have sent again, where it was not sent', () => {
  for (const { answer } of Object.values(failurePolicy.connecting)) {
    expect(refusals[answer as keyof typeof refusals].retrySafe).toBe(true);
  }
});

test('what is lacking here is never held against an endpoint', () => {
  for (const phase of phases) {
    const verdict = failurePolicy[phase].want;
    if (verdict !== undefined) expect(verdict.endpoint).toBe('spared');
  }
});
