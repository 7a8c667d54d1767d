import type { PilotEvent } from '../model/events.ts';
import type { LiveState } from '../model/live.ts';
import { authorization, problemOf } from './api.ts';
import { EventParser, type StreamMessage } from './event-parser.ts';

/** How it stands with the stream of news. */
export type LinkState =
  | { state: 'connecting' }
  | { state: 'following' }
  /** It broke off, and is opened again soon. */
  | { state: 'lost'; why: string }
  /** It wants a token, or another one. */
  | { state: 'refused' };

export interface LiveListener {
  /** @param heardAt ms since the epoch by the clock of this browser */
  onState(state: LiveState, heardAt: number): void;
  onEvent(event: PilotEvent): void;
  onLink(link: LinkState): void;
}

/** A stream that says nothing for so long is broken, ms: it speaks every second. */
const SILENCE_MS = 10_000;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** Follows the state of the proxy and opens the stream again when it breaks, until it is closed. */
export class Live {
  readonly #listener: LiveListener;
  readonly #abort = new AbortController();
  #failures = 0;

  constructor(listener: LiveListener) {
    this.#listener = listener;
    void this.#follow(this.#abort.signal);
  }

  close(): void {
    this.#abort.abort();
  }

  async #follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.#listener.onLink({ state: 'connecting' });
      const why = await this.#read(stop);
      if (stop.aborted) return;
      if (why === undefined) {
        this.#listener.onLink({ state: 'refused' });
        return;
      }
      this.#listener.onLink({ state: 'lost', why });
      const pause = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
      await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
    }
  }

  /** Reads one stream to its end. @returns why it ended; undefined: the token is refused */
  async #read(stop: AbortSignal): Promise<string | undefined> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const answer = await fetch('v1/live', {
        headers: authorization(),
        cache: 'no-store',
        signal: AbortSignal.any([stop, silence.signal]),
      });
      if (answer.status === 401) return undefined;
      if (!answer.ok || answer.body === null) return await problemOf(answer);
      const parser = new EventParser();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 'Pilotlight ended the stream';
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const message of parser.take(value)) this.#tell(message);
      }
    } catch {
      return silence.signal.aborted ? 'Pilotlight says nothing more' : 'Pilotlight does not answer';
    } finally {
      clearTimeout(timer);
    }
  }

  #tell({ type, data }: StreamMessage): void {
    if (type !== 'state') {
      this.#listener.onEvent(JSON.parse(data) as PilotEvent);
      return;
    }
    this.#failures = 0;
    this.#listener.onLink({ state: 'following' });
    this.#listener.onState(JSON.parse(data) as LiveState, Date.now());
  }
}
