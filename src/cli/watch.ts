import { PilotlightError } from '../model/errors.ts';
import { sleep } from '../util/clock.ts';
import { colouredStatus, hasColours } from './colours.ts';
import type { Screen } from './screen.ts';
import type { Terminal } from './terminal.ts';
import { type Answer, type WatchState, watchView } from './watch-view.ts';

/** Pause between two questions, ms. */
const ASK_EVERY_MS = 1000;
/** `q`, Ctrl-C, Ctrl-D, and the escape key alone. */
const QUIT = new Set(['q', 'Q', '\x03', '\x04', '\x1b']);

/** By key: so many lines further, or so many screens. */
const MOVES: Record<string, { lines?: number; screens?: number }> = {
  '\x1b[A': { lines: -1 },
  '\x1b[B': { lines: 1 },
  k: { lines: -1 },
  j: { lines: 1 },
  '\x1b[5~': { screens: -1 },
  '\x1b[6~': { screens: 1 },
  ' ': { screens: 1 },
  '\x1b[H': { screens: -Infinity },
  '\x1b[F': { screens: Infinity },
};

/**
 * Shows the services on the whole screen until a key or the signal ends it. A proxy that goes away is waited for, with
 * what it said last.
 * @param first what is shown at once
 * @param question asks the proxy; throws where there is no answer
 */
export async function watchStatus(
  first: Answer,
  question: () => Promise<Answer>,
  url: string,
  screen: Screen,
  { clock, interactive, env }: Pick<Terminal, 'clock' | 'interactive' | 'env'>,
  signal: AbortSignal,
): Promise<void> {
  const end = new AbortController();
  const stopped = AbortSignal.any([signal, end.signal]);
  const isColoured = hasColours(interactive, env);
  const state: WatchState = { url, answer: first, answeredAt: clock.wall(), trouble: undefined, offset: 0 };
  let lastOffset = 0;
  const draw = () => {
    const view = watchView(state, clock.wall(), screen.columns(), screen.rows());
    lastOffset = view.lastOffset;
    const [title = '', ...table] = view.lines;
    screen.draw([title, ...(isColoured ? colouredStatus(table.join('\n')).split('\n') : table)]);
  };
  screen.onResize(draw);
  screen.onKey((key) => {
    if (QUIT.has(key)) end.abort();
    const move = MOVES[key];
    if (move === undefined) return;
    const by = (move.lines ?? 0) + (move.screens ?? 0) * Math.max(1, screen.rows() - 4);
    state.offset = Math.max(0, Math.min(lastOffset, state.offset + by));
    draw();
  });
  draw();
  while (!stopped.aborted) {
    await sleep(clock, ASK_EVERY_MS, stopped).catch(() => undefined);
    if (!stopped.aborted) await ask(question, state, clock);
    if (!stopped.aborted) draw();
  }
}

async function ask(question: () => Promise<Answer>, state: WatchState, clock: Terminal['clock']): Promise<void> {
  try {
    state.answer = await question();
    state.answeredAt = clock.wall();
    state.trouble = undefined;
  } catch (error) {
    if (!(error instanceof PilotlightError)) throw error;
    state.trouble = error.message;
  }
}
