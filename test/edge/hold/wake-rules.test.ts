import { describe, expect, test, vi } from 'vitest';
import { compileWakeRules, matchWakeRule } from '../../../src/edge/hold/wake-rules.ts';
import type { WakeRule } from '../../../src/model/settings.ts';

function rule(change: Partial<WakeRule>): WakeRule {
  return { path: undefined, userAgent: undefined, then: 'deny', status: 200, ...change };
}

function matches(change: Partial<WakeRule>, path: string, userAgent = ''): boolean {
  return matchWakeRule(compileWakeRules([rule(change)]), path, userAgent) !== undefined;
}

describe('a path', () => {
  test.each([
    ['/healthz', '/healthz', true],
    ['/healthz', '/healthz/', true],
    ['/healthz', '/healthz/live', true],
    ['/healthz', '/healthzz', false],
    ['/healthz', '/', false],
    ['/', '/anything', true],
    ['/healthz', '/h%65althz', true],
    ['/h%65althz', '/healthz', true],
    ['/healthz', '/healthz;v=1/x', true],
    ['/caf%c3%a9', '/caf%C3%A9/x', true],
  ])('%s on %s: %s', (path, requested, expected) => {
    expect(matches({ path }, requested)).toBe(expected);
  });
});

describe('a path that can be read in several ways wakes only if it does in all of them', () => {
  const closed = compileWakeRules([rule({ path: '/admin' })]);
  const open = compileWakeRules([rule({ path: '/api', then: 'wake' }), rule({})]);

  test.each(['//admin', '/x/..%2fadmin', '/%2561dmin', '/x\\..\\admin', '/%2f%2fadmin/x', '/x/..;/admin', '/admin/..'])(
    '%s',
    (path) => {
      expect(matchWakeRule(closed, path, '')?.then).toBe('deny');
    },
  );

  test.each(['//api', '/api/..%2fx', '/api/%2e%2e', `/api${'/..%2f;%252e'.repeat(300)}`])('%s, too', (path) => {
    expect(matchWakeRule(open, path, '')?.then).toBe('deny');
  });

  test.each(['/api/a%2fb', '/api/x/../y', '/api/%2e'])('%s does', (path) => {
    expect(matchWakeRule(open, path, '')?.then).toBe('wake');
  });
});

describe('a user agent glob', () => {
  test.each([
    ['*bot*', 'Mozilla/5.0 (compatible; GoogleBot/2.1)', true],
    ['*bot*', 'bot', true],
    ['*bot*', 'Mozilla/5.0', false],
    ['curl/*', 'curl/8.0', true],
    ['curl/*', 'a curl/8.0', false],
    ['*/8.0', 'curl/8.0', true],
    ['*/8.0', 'curl/8.0.1', false],
    ['curl', 'curl', true],
    ['curl', 'curl/8', false],
    ['*', '', true],
    ['', '', true],
    ['', 'x', false],
    ['a*b*c', 'aXbXc', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a**c', 'abc', true],
    ['ab*ba', 'aba', false],
    ['*a*a*', 'a', false],
    ['*.bot', 'xbot', false],
    ['(a+)+$', '(A+)+$', true],
  ])('%s on %s: %s', (userAgent, sent, expected) => {
    expect(matches({ userAgent }, '/', sent)).toBe(expected);
  });

  test('takes no long time whatever is sent', () => {
    // Of the processor: how long others have it says nothing.
    const before = process.cpuUsage();
    expect(matches({ userAgent: '*a*a*a*a*a*b' }, '/', 'a'.repeat(30_000))).toBe(false);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});

test('however many rules there are, a user agent is put into lower case once', () => {
  const rules = compileWakeRules(Array.from({ length: 50 }, (_, index) => rule({ userAgent: `*x${index}*` })));
  const lower = vi.spyOn(String.prototype, 'toLowerCase');
  for (const path of ['/', '//x/..%2fy']) expect(matchWakeRule(rules, path, 'A'.repeat(30_000))).toBeUndefined();
  const { length } = lower.mock.calls;
  lower.mockRestore();
  expect(length).toBe(2);
});

test('both conditions have to hold, and the first rule that matches decides', () => {
  const rules = compileWakeRules([
    rule({ path: '/api', userAgent: '*bot*', then: 'deny' }),
    rule({ path: '/api', then: 'wake' }),
    rule({ userAgent: '*bot*', then: 'answer', status: 204 }),
  ]);
  expect(matchWakeRule(rules, '/api/x', 'a bot')?.then).toBe('deny');
  expect(matchWakeRule(rules, '/api/x', 'human')?.then).toBe('wake');
  expect(matchWakeRule(rules, '/', 'a bot')).toMatchObject({ then: 'answer', status: 204 });
  expect(matchWakeRule(rules, '/', 'human')).toBeUndefined();
});
