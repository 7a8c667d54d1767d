import type { PilotEvent } from '../model/events.ts';
import type { LiveState } from '../model/live.ts';
import type { LinkState, LiveListener } from './live.ts';

/** What goes between the tabs of one browser. Whoever leads reads the one stream and passes on what comes. */
export type TabMessage =
  /** Somebody is new, and asks for the whole state. */
  | { kind: 'hello'; from: string }
  | { kind: 'state'; from: string; state: LiveState; heardAt: number; to?: string }
  | { kind: 'event'; from: string; event: PilotEvent }
  /** Also every second, so that others know that it is there. */
  | { kind: 'link'; from: string; link: LinkState }
  /** The one that led is gone. */
  | { kind: 'bye'; from: string };

/** A channel to the other tabs, as BroadcastChannel is one. */
export interface TabChannel {
  addEventListener(type: 'message', take: (message: { data: TabMessage }) => void): void;
  postMessage(message: TabMessage): void;
  close(): void;
}

/** A stream of its own, until it is closed. */
interface OwnStream {
  close(): void;
}

interface SharedOptions {
  listener: LiveListener;
  channel: TabChannel;
  /** Opens the stream from the proxy. */
  open: (listener: LiveListener) => OwnStream;
  /** The state as it is known, for whoever is new; undefined before the first. */
  whole: () => { state: LiveState; heardAt: number } | undefined;
  /** Orders the tabs. */
  id?: string;
}

/**
 * `looking`: does another tab lead? `joining`: one does, and has yet to tell the whole state. `following`: it has.
 * `leading`: this one has the stream.
 */
type Role =
  | { name: 'looking' | 'joining' | 'following' | 'closed' }
  | { name: 'leading'; stream: OwnStream; beat: ReturnType<typeof setInterval> };

/** How long the answer of a tab that leads is waited for, ms. */
const LOOK_MS = 300;
/** From one sign of life of a leader to the next, ms. */
const BEAT_MS = 1000;
/** A leader that says nothing for so long is gone, or frozen, ms. */
const SILENCE_MS = 4000;

/**
 * Follows the state of the proxy by one stream for all tabs: a browser opens six connections to a host, and each stream
 * takes one for good, so that the seventh tab would not even load.
 */
export class SharedLive {
  readonly #options: SharedOptions;
  readonly #id: string;
  #role: Role = { name: 'looking' };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#id = options.id ?? `${Date.now()}-${Math.random()}`;
    options.channel.addEventListener('message', ({ data }) => this.#hear(data));
    options.listener.onLink({ state: 'connecting' });
    this.#look(LOOK_MS);
  }

  /** The tab goes, or asks with another token from now on. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#role.name === 'leading') this.#say({ kind: 'bye', from: this.#id });
    this.#become({ name: 'closed' });
    this.#options.channel.close();
  }

  #hear(message: TabMessage): void {
    const { name } = this.#role;
    if (name === 'closed') return;
    if (message.kind === 'hello') {
      if (name === 'leading') this.#tellWhole(message.from);
      return;
    }
    if (message.kind === 'bye') {
      // Not all at once: the first one leads, and the others hear of it.
      if (name === 'following' || name === 'joining') this.#look(Math.random() * LOOK_MS);
      return;
    }
    // Two lead, as one was frozen for a while: that which was there first goes on.
    if (name === 'leading' && message.from > this.#id) return;
    if (name !== 'following') this.#become({ name: 'joining' });
    this.#await(SILENCE_MS, () => this.#look(Math.random() * LOOK_MS));
    this.#take(message);
  }

  #take(message: Extract<TabMessage, { kind: 'state' | 'event' | 'link' }>): void {
    const { listener } = this.#options;
    if (message.kind === 'event') listener.onEvent(message.event);
    else if (message.kind === 'state') {
      if (message.to === undefined || message.to === this.#id) this.#takeState(message.state, message.heardAt);
    } else {
      listener.onLink(message.link);
      if (this.#role.name === 'joining') this.#say({ kind: 'hello', from: this.#id });
    }
  }

  /** Changes say nothing to who has no whole state yet. */
  #takeState(state: LiveState, heardAt: number): void {
    if (this.#role.name === 'joining' && !state.isWhole) return;
    this.#become({ name: 'following' });
    this.#options.listener.onState(state, heardAt);
  }

  /** Asks whether another tab leads, and leads where none answers. */
  #look(forMs: number): void {
    this.#become({ name: 'looking' });
    this.#say({ kind: 'hello', from: this.#id });
    this.#await(forMs, () => this.#lead());
  }

  #lead(): void {
    const { listener, open } = this.#options;
    const from = this.#id;
    let link: LinkState = { state: 'connecting' };
    const tellLink = () => this.#say({ kind: 'link', from, link });
    const beat = setInterval(tellLink, BEAT_MS);
    tellLink();
    const stream = open({
      onState: (state, heardAt) => {
        listener.onState(state, heardAt);
        this.#say({ kind: 'state', from, state, heardAt });
      },
      onEvent: (event) => {
        listener.onEvent(event);
        this.#say({ kind: 'event', from, event });
      },
      onLink: (next) => {
        listener.onLink(next);
        link = next;
        tellLink();
      },
    });
    this.#become({ name: 'leading', stream, beat });
  }

  #tellWhole(to: string): void {
    const whole = this.#options.whole();
    if (whole !== undefined) this.#say({ kind: 'state', from: this.#id, ...whole, to });
  }

  #become(role: Role): void {
    if (this.#role.name === 'leading') {
      clearInterval(this.#role.beat);
      this.#role.stream.close();
    }
    this.#role = role;
  }

  #say(message: TabMessage): void {
    this.#options.channel.postMessage(message);
  }

  #await(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }
}
