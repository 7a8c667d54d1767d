import type { ControlMessage, EdgeMessage } from '../../../model/link.ts';
import type { ChannelEnd } from '../../../util/channel.ts';
import { LateReports } from './late-totals.ts';

/**
 * An edge of this member, whoever leads. It is told when another control plane speaks to it from now on, and nothing of
 * what it said to the one before reaches the next: numbers of probes and versions are each control plane's own.
 */
export class RelayedEdge {
  readonly name: string;
  readonly end: (() => void) | undefined;
  readonly #link: ChannelEnd<EdgeMessage, ControlMessage>;
  readonly #aloneMs: number;
  #upstream: ChannelEnd<ControlMessage, EdgeMessage> | undefined;
  #term = 0;
  /** The term that the edge says it is in. */
  #confirmed = 0;
  readonly #late = new LateReports();

  /** @param aloneMs for how long it uses replicas of ours without a contact */
  constructor(
    name: string,
    link: ChannelEnd<EdgeMessage, ControlMessage>,
    end: (() => void) | undefined,
    aloneMs: number,
  ) {
    this.name = name;
    this.end = end;
    this.#link = link;
    this.#aloneMs = aloneMs;
    link.onMessage((message) => {
      if (message.type === 'led') this.#confirm(message.term);
      else if (this.#confirmed === this.#term && this.#upstream !== undefined) this.#upstream.post(message);
      else if (message.type === 'report') this.#late.add(message);
    });
  }

  #confirm(term: number): void {
    this.#confirmed = term;
    if (term !== this.#term || this.#upstream === undefined) return;
    const totals = this.#late.take();
    if (totals !== undefined) this.#upstream.post(totals);
  }

  /** Joins it to a control plane, in the place of the one before. */
  join(upstream: ChannelEnd<ControlMessage, EdgeMessage>): void {
    this.#upstream = upstream;
    this.#link.post({ type: 'led', term: ++this.#term, aloneMs: this.#aloneMs });
    upstream.onMessage((message) => {
      if (this.#upstream === upstream) this.#link.post(message);
    });
    upstream.onClose(() => {
      if (this.#upstream === upstream) this.#upstream = undefined;
    });
  }

  /**
   * Nobody leads it from here on: it serves by what it was told last. Who led it is told nothing: that an edge ended
   * would mean that it uses no replica any more.
   */
  part(): void {
    this.#upstream = undefined;
  }

  setMembers(count: number): void {
    this.#link.post({ type: 'members', count });
  }

  /** It is led: whoever leads was heard a moment ago. */
  noteContact(): void {
    if (this.#upstream !== undefined) this.#link.post({ type: 'contact' });
  }

  /** The edge ended, and uses no replica any more. */
  ended(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.close();
  }

  close(): void {
    this.ended();
    this.#link.close();
  }
}
