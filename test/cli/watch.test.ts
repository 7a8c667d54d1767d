import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { openScreen, type Screen } from '../../src/cli/screen.ts';
import { watchStatus } from '../../src/cli/watch.ts';
import { watchView } from '../../src/cli/watch-view.ts';
import type { Decision } from '../../src/model/decision.ts';
import { PilotlightError } from '../../src/model/errors.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { serviceStatus } from '../support/service-status.ts';
import { until } from '../support/until.ts';

class FakeScreen implements Screen {
  readonly drawn: string[][] = [];
  height = 10;
  press: (key: string) => void = () => undefined;
  resize: () => void = () => undefined;
  columns = () => 80;
  rows = () => this.height;
  draw = (lines: readonly string[]) => void this.drawn.push([...lines]);
  onKey = (listener: (key: string) => void) => {
    this.press = listener;
  };
  onResize = (listener: () => void) => {
    this.resize = listener;
  };
  close = () => undefined;
  get last(): string[] {
    return this.drawn.at(-1) ?? [];
  }
}

const many = Array.from({ length: 30 }, (_, index) => serviceStatus({ name: `s${String(index).padStart(2, '0')}` }));

async function watching(services: () => Promise<ServiceStatus[]>) {
  const screen = new FakeScreen();
  const clock = new VirtualClock();
  const stop = new AbortController();
  const terminal = { clock, interactive: true, env: { NO_COLOR: '1' } };
  const question = async () => ({ services: await services(), below: [] });
  const ended = watchStatus(await question(), question, 'http://x', screen, terminal, stop.signal);
  /** Lets the next answer come. */
  const next = async () => {
    const before = screen.drawn.length;
    await until('asked', () => clock.pending === 1);
    clock.advance(1000);
    await until('drawn', () => screen.drawn.length > before);
  };
  return { screen, clock, stop, ended, next };
}

test('a proxy that goes away is told, with how old the table is, until it is back', async () => {
  let answer = async () => [serviceStatus({ name: 'shop' })];
  const { screen, stop, ended, next } = await watching(() => answer());
  expect(screen.last[0]).toBe('pilotlight at http://x  1 service, 0 in flight, 0 held');
  answer = () => Promise.reject(new PilotlightError('ADMIN_UNREACHABLE', 'no Pilotlight answers'));
  await next();
  await next();
  expect(screen.last[0]).toBe('NO ANSWER  what stands below is 2s old; no Pilotlight answers');
  expect(screen.last.join()).toContain('shop');
  answer = async () => [];
  await next();
  expect(screen.last.slice(0, 2)).toEqual([
    'pilotlight at http://x  0 services, 0 in flight, 0 held',
    'no services are configured',
  ]);
  stop.abort();
  await ended;
});

test('keys move within the table, a smaller screen shows less of it, q ends', async () => {
  const { screen, ended } = await watching(async () => many);
  expect(screen.last).toHaveLength(10);
  expect(screen.last.at(-1)).toBe('lines 1–7 of 30; arrows move, q ends');
  screen.press('\x1b[B');
  expect(screen.last[2]).toMatch(/^s01 /);
  screen.press('\x1b[F');
  expect(screen.last.at(-2)).toMatch(/^s29 /);
  screen.press('j');
  expect(screen.last.at(-2)).toMatch(/^s29 /);
  screen.press('\x1b[H');
  screen.height = 5;
  screen.resize();
  expect(screen.last.at(-1)).toMatch(/^lines 1–2 of 30/);
  screen.press('q');
  await ended;
});

test('nothing is drawn that is wider or longer than the screen', () => {
  const state = {
    url: 'http://x',
    answer: { services: many, below: ['a line below'] },
    answeredAt: 0,
    trouble: 'x'.repeat(500),
    offset: 99,
  };
  for (const [columns, rows] of [
    [20, 2],
    [60, 8],
    [200, 40],
  ] as const) {
    const { lines } = watchView(state, 0, columns, rows);
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  }
});

test('a long name leaves room for what was decided last', () => {
  const about = { id: 'a-1', kind: null, outcome: null, at: new Date(0).toISOString(), service: 'a', dryRun: false };
  const lastDecision: Decision = {
    ...about,
    action: 'wake',
    from: 0,
    to: 1,
    reason: '3 wait',
    inputs: {},
    verdicts: [],
  };
  const services = [
    serviceStatus({ name: 'a-name-of-sixty-characters-that-would-take-most-of-the-screen-', lastDecision }),
  ];
  const state = { url: 'http://a', answer: { services, below: [] }, answeredAt: 0, trouble: undefined, offset: 0 };
  const { lines } = watchView(state, 0, 80, 24);
  expect(lines[2]).toMatch(/^a-name-of-sixty… {2}asleep/);
  expect(lines.join(' ')).toContain('wake 0→1');
});

describe('the terminal', () => {
  function fakeTty() {
    const written: string[] = [];
    const raw: boolean[] = [];
    const input = Object.assign(new EventEmitter(), {
      isTTY: true,
      setRawMode: (on: boolean) => void raw.push(on),
      resume: () => undefined,
      pause: () => undefined,
    });
    const output = Object.assign(new EventEmitter(), {
      columns: 80,
      rows: 24,
      write: (text: string) => written.push(text) > 0,
    });
    const host = new EventEmitter();
    const screen = openScreen(input as never, output as never, host as never);
    return { written, raw, input, output, host, screen };
  }

  test('is given back once, by closing or by the end of the process', () => {
    const { written, raw, host, screen } = fakeTty();
    expect(written).toEqual(['\x1b[?1049h\x1b[?25l']);
    host.emit('exit');
    screen.close();
    expect(written.slice(1)).toEqual(['\x1b[?25h\x1b[?1049l']);
    expect(raw).toEqual([true, false]);
    expect(host.listenerCount('exit')).toBe(0);
  });

  test('tells keys one by one, however they come', () => {
    const { input, screen } = fakeTty();
    const keys: string[] = [];
    screen.onKey((key) => keys.push(key));
    input.emit('data', Buffer.from('j\x1b[B\x1b[5~q'));
    expect(keys).toEqual(['j', '\x1b[B', '\x1b[5~', 'q']);
  });
});
