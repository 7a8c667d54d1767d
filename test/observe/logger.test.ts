import { describe, expect, test } from 'vitest';
import { PilotlightError } from '../../src/model/errors.ts';
import type { LogLevel } from '../../src/model/observe.ts';
import { createLogger } from '../../src/observe/logger.ts';

function capture(level: LogLevel) {
  const written: string[] = [];
  const logger = createLogger({ level, destination: { write: (text: string) => void written.push(text) } });
  return { logger, written, last: () => JSON.parse(written.at(-1) ?? 'null') };
}

test('a line is one JSON object with time, level, fields and message', () => {
  const { logger, written, last } = capture('info');
  logger.info({ service: 'shop', tookMs: 12 }, 'ready\nafter a line feed');
  expect(written[0]?.trimEnd().split('\n')).toHaveLength(1);
  const line = last();
  expect(line).toMatchObject({ level: 'info', service: 'shop', tookMs: 12, msg: 'ready\nafter a line feed' });
  expect(new Date(line.time).toISOString()).toBe(line.time);
});

test.each([
  ['debug', 4],
  ['info', 3],
  ['warn', 2],
  ['error', 1],
  ['silent', 0],
] as const)('at level %s, %d of four levels are written', (level, lines) => {
  const { logger, written } = capture(level);
  for (const method of ['debug', 'info', 'warn', 'error'] as const) logger[method]({}, method);
  expect(written).toHaveLength(lines);
});

test('the level may change while it runs', () => {
  const { logger, written } = capture('warn');
  logger.debug({}, 'one');
  logger.level = 'debug';
  logger.debug({}, 'two');
  expect(logger.level).toBe('debug');
  expect(written.map((line) => JSON.parse(line).msg)).toEqual(['two']);
});

test('pretty lines are for people', () => {
  const written: string[] = [];
  const destination = { write: (text: string) => void written.push(text) };
  createLogger({ level: 'info', format: 'pretty', destination }).info({ service: 'shop' }, 'ready');
  expect(written[0]).toMatch(/ INFO {2}ready service=shop\n$/);
});

describe('redaction', () => {
  test('credentials are censored at any depth, and nothing else is', () => {
    const { logger, written } = capture('info');
    const fields = {
      token: 'top-secret-1',
      consul: { aclToken: 'top-secret-2', address: 'http://127.0.0.1:8500' },
      headers: [{ Authorization: 'Bearer top-secret-3', Cookie: 'top-secret-4' }],
      env: { DB_PASSWORD: 'top-secret-5', api_key: 'top-secret-6', HOME: '/root' },
      flapTokens: 3,
    };
    logger.info(fields, 'started');
    expect(written[0]).not.toContain('top-secret');
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      consul: { address: 'http://127.0.0.1:8500' },
      env: { HOME: '/root' },
      flapTokens: 3,
    });
    expect(fields.token).toBe('top-secret-1');
  });

  test('an error is its code, its message and its causes, without a stack trace', () => {
    const { logger, written, last } = capture('info');
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    logger.warn({ err: new PilotlightError('RUNTIME_UNREACHABLE', 'Docker does not answer', cause) }, 'boot');
    expect(last().err).toEqual({
      code: 'RUNTIME_UNREACHABLE',
      message: 'Docker does not answer',
      cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
    });
    expect(written[0]).not.toContain('.ts:');
  });

  test('a structure that contains itself, a bad date or a big integer is still one line', () => {
    const { logger, last } = capture('info');
    const loop: Record<string, unknown> = { name: 'loop' };
    loop['self'] = loop;
    logger.info({ loop, at: new Date(Number.NaN), size: 10n }, 'odd');
    expect(last()).toMatchObject({ loop: { name: 'loop' }, at: null, size: '10', msg: 'odd' });
  });
});
