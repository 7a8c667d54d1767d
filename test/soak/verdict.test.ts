import { describe, expect, test } from 'vitest';
import type { Holdings } from '../../load-tests/soak/census.ts';
import type { Failure } from '../../load-tests/soak/ledger.ts';
import { growth } from '../../load-tests/soak/report.ts';
import { explain } from '../../load-tests/soak/verdict.ts';

const KILL = { address: '127.0.0.1:20001', at: 10_000 };

function failed(times: Partial<Failure> = {}): Failure {
  return { id: 'a-1', kind: 'POST', service: 'app', reason: 'truncated', sentAt: 9000, endedAt: 10_100, ...times };
}

describe('what explains a failed request', () => {
  test('its replica was killed while it was under way', () => {
    expect(explain(failed(), { endpoint: KILL.address, at: 9001 }, [KILL])).toBe('in the hands of a killed replica');
  });

  test('its replica was dead, and nobody knew yet', () => {
    const late = { sentAt: 11_000, endedAt: 11_010 };
    expect(explain(failed(late), { endpoint: KILL.address, at: 11_000 }, [KILL])).toBeDefined();
  });

  test('not the death of another replica', () => {
    expect(explain(failed(), { endpoint: '127.0.0.1:20002', at: 9001 }, [KILL])).toBeUndefined();
  });

  test('not a death after it failed, nor one long known', () => {
    expect(explain(failed({ endedAt: 9500 }), { endpoint: KILL.address, at: 9001 }, [KILL])).toBeUndefined();
    const later = { sentAt: 13_000, endedAt: 13_010 };
    expect(explain(failed(later), { endpoint: KILL.address, at: 13_000 }, [KILL])).toBeUndefined();
  });

  test('not a kill, where the request went to no replica or nothing tells where', () => {
    expect(explain(failed(), { endpoint: null, at: 9001 }, [KILL])).toBeUndefined();
    expect(explain(failed(), undefined, [KILL])).toBeUndefined();
  });
});

describe('what counts as a leak', () => {
  const before: Holdings = { processes: 1, sockets: 5, timers: 6, heapMiB: 27, residentMiB: 130 };

  test('one socket, timer or process more', () => {
    expect(growth(before, before)).toEqual([]);
    expect(growth(before, { ...before, sockets: 6 })).toHaveLength(1);
    expect(growth(before, { ...before, timers: 7, processes: 2 })).toHaveLength(2);
  });

  test('memory only beyond what compilers and allocators take', () => {
    expect(growth(before, { ...before, heapMiB: 30, residentMiB: 150 })).toEqual([]);
    expect(growth(before, { ...before, heapMiB: 60 })).toEqual(['heapMiB: 27.0 at the start, 60.0 at the end']);
  });
});
