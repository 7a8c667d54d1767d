import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LiveListener } from '../../src/dashboard/live.ts';
import { SharedLive, type TabChannel, type TabMessage } from '../../src/dashboard/shared-live.ts';
import { Store } from '../../src/dashboard/store.ts';
import type { LiveState } from '../../src/model/live.ts';
import { serviceStatus } from '../support/service-status.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') }));
afterEach(() => void vi.useRealTimers());

/** Tabs of one browser, each of which hears what the others say, and the streams that they have open. */
class Tabs {
  readonly streams = new Map<string, LiveListener>();
  readonly #takers = new Map<string, (message: { data: TabMessage }) => void>();
  /** Hears and says nothing. */
  frozen: string | undefined;

  open(id: string): { store: Store; live: SharedLive } {
    const store = new Store(() => undefined);
    const channel: TabChannel = {
      addEventListener: (_type, take) => void this.#takers.set(id, take),
      postMessage: (data) => {
        if (id === this.frozen) return;
        for (const [other, take] of [...this.#takers]) {
          if (other !== id && other !== this.frozen) queueMicrotask(() => take({ data: structuredClone(data) }));
        }
      },
      close: () => void this.#takers.delete(id),
    };
    const live = new SharedLive({
      id,
      channel,
      listener: {
        onState: (state, heardAt) => store.takeState(state, heardAt),
        onEvent: (event) => store.takeEvent(event),
        onLink: (link) => store.takeLink(link),
      },
      whole: () => store.whole(),
      open: (listener) => {
        this.streams.set(id, listener);
        return { close: () => void this.streams.delete(id) };
      },
    });
    return { store, live };
  }

  get leaders(): string[] {
    return [...this.streams.keys()];
  }

  /** What the proxy says to whoever has a stream. */
  async say(names: string[], more: Partial<LiveState> = {}): Promise<void> {
    const services = names.map((name) => serviceStatus({ name }));
    const state = { at: new Date().toISOString(), isWhole: false, services, gone: [], ...more };
    for (const stream of this.streams.values()) {
      stream.onLink({ state: 'following' });
      stream.onState(state, Date.now());
    }
    await pass(0);
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const shown = ({ store }: { store: Store }) => [...store.services.keys()];

test('one tab of many has a stream, and all of them show what comes', async () => {
  const tabs = new Tabs();
  const first = tabs.open('1');
  await pass(300);
  await tabs.say(['a', 'b'], { isWhole: true });
  const others = ['2', '3', '4', '5', '6', '7'].map((id) => tabs.open(id));
  await pass(500);
  expect(tabs.leaders).toEqual(['1']);
  await tabs.say(['c']);
  for (const tab of [first, ...others]) {
    expect(shown(tab)).toEqual(['a', 'b', 'c']);
    expect(tab.store.link).toEqual({ state: 'following' });
  }
});

test('tabs that are opened at once agree on one', async () => {
  const tabs = new Tabs();
  const all = ['3', '1', '2'].map((id) => tabs.open(id));
  await pass(1500);
  expect(tabs.leaders).toHaveLength(1);
  await tabs.say(['a'], { isWhole: true });
  for (const tab of all) expect(shown(tab)).toEqual(['a']);
});

test('when the one that leads is closed, another goes on', async () => {
  const tabs = new Tabs();
  const first = tabs.open('1');
  await pass(300);
  const second = tabs.open('2');
  const third = tabs.open('3');
  await tabs.say(['a'], { isWhole: true });
  await pass(1000);
  first.live.close();
  await pass(700);
  expect(tabs.leaders).toHaveLength(1);
  expect(tabs.leaders).not.toContain('1');
  await tabs.say(['b'], { isWhole: true });
  for (const tab of [second, third]) expect(shown(tab)).toEqual(['b']);
});

test('one that is frozen is followed no more, and gives way when it goes on', async () => {
  const tabs = new Tabs();
  tabs.open('2');
  await pass(300);
  const other = tabs.open('1');
  await tabs.say(['a'], { isWhole: true });
  await pass(300);
  tabs.frozen = '2';
  await pass(4700);
  expect(tabs.leaders.sort()).toEqual(['1', '2']);
  tabs.frozen = undefined;
  await pass(1500);
  expect(tabs.leaders).toEqual(['1']);
  await tabs.say(['c'], { isWhole: true });
  expect(shown(other)).toEqual(['c']);
});

test('while the proxy is silent nobody else asks it, and what is shown is as old as it is', async () => {
  const tabs = new Tabs();
  const first = tabs.open('1');
  await pass(300);
  await tabs.say(['a'], { isWhole: true });
  await pass(6000);
  const late = tabs.open('2');
  await pass(3000);
  expect(tabs.leaders).toEqual(['1']);
  expect(shown(late)).toEqual(['a']);
  for (const { store } of [first, late]) expect(store.isOld(Date.now())).toBe(true);
});

test('how it stands with the stream is told to all: a lost one, a refused token', async () => {
  const tabs = new Tabs();
  const first = tabs.open('1');
  await pass(300);
  const second = tabs.open('2');
  await pass(300);
  tabs.streams.get('1')?.onLink({ state: 'refused' });
  await pass(0);
  for (const { store } of [first, second]) expect(store.link).toEqual({ state: 'refused' });
});
