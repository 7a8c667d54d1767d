import { describe, expect, test } from 'vitest';
import { grpcRefusal, grpcTimeoutMs, isGrpc } from '../../../src/edge/answer/grpc.ts';
import { type RefusalCode, refusals } from '../../../src/model/refusals.ts';

const statusOf = (code: RefusalCode) => Number(/grpc-status: (\d+)\r\n/.exec(grpcRefusal(code))?.[1]);

test.each([
  ['application/grpc', true],
  ['application/grpc+proto', true],
  ['Application/GRPC; charset=utf-8', true],
  ['application/grpc-web', false],
  ['application/grpc-web+proto', false],
  ['application/grpcx', false],
  ['text/plain', false],
  [undefined, false],
])('content of type %s is gRPC: %s', (type, is) => {
  expect(isGrpc(type)).toBe(is);
});

test.each<[RefusalCode, number]>([
  ['BAD_HOST', 3],
  ['HOLD_DEADLINE', 4],
  ['FORBIDDEN', 7],
  ['RATE_LIMITED', 8],
  ['NO_ROUTE', 12],
  ['HOLD_FULL', 14],
  ['HOLD_TIMEOUT', 14],
  ['START_FAILED', 14],
  ['CONNECT_REFUSED', 14],
  ['CONNECT_TIMEOUT', 14],
  ['UNAUTHORIZED', 16],
])('%s is told as %i', (code, status) => {
  expect(statusOf(code)).toBe(status);
});

test('every refusal is told by a code, and in words that a field can hold', () => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    expect(statusOf(code)).toBeGreaterThan(1);
    expect(grpcRefusal(code)).toMatch(/grpc-message: [ -$&-~]+\r\n$/);
  }
});

describe('the time that a client gives', () => {
  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['30S', 30_000],
    ['250m', 250],
    ['1500u', 1.5],
    ['99999999n', 99.999999],
    ['0S', 0],
  ])('%s', (value, ms) => {
    expect(grpcTimeoutMs(value)).toBeCloseTo(ms, 6);
  });

  test.each(['', '5', 'S', '-1S', '1s', '1.5S', '123456789S', '1S ', undefined])('%j is none', (value) => {
    expect(grpcTimeoutMs(value)).toBeUndefined();
  });
});
