import type { PilotEvent } from '../model/events.ts';
import type { LiveState } from '../model/live.ts';
import type { ServiceStatus } from '../model/status.ts';
import { History } from './history.ts';
import type { LinkState } from './live.ts';

/** Events that are kept. */
const KEPT_EVENTS = 300;
/** What is shown is old when nothing was heard for so long, ms. */
const OLD_MS = 4000;

/** All that the pages show, and who wants to know when it changes. */
export class Store {
  /** By name, in the order of names. */
  services: ReadonlyMap<string, ServiceStatus> = new Map();
  /** Newest first. */
  events: readonly PilotEvent[] = [];
  link: LinkState = { state: 'connecting' };
  /** When the last state was made, ISO 8601; undefined before the first. */
  asOf: string | undefined;
  /** When it came, ms since the epoch by the clock of this browser. */
  heardAt = 0;
  /** Whether the proxy is one of several that act as one. */
  isClustered = false;
  readonly #histories = new Map<string, History>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** @param now ms since the epoch */
  takeState({ at, isWhole, services, gone }: LiveState, now: number): void {
    const next = new Map(isWhole ? [] : this.services);
    for (const name of gone) next.delete(name);
    const isNew = services.some(({ name }) => !next.has(name));
    for (const service of services) next.set(service.name, service);
    this.services = isNew ? new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1))) : next;
    this.asOf = at;
    this.heardAt = now;
    const seconds = Date.parse(at) / 1000;
    for (const name of this.#histories.keys()) if (!next.has(name)) this.#histories.delete(name);
    for (const service of this.services.values()) this.#remember(seconds, service);
    this.#onChange();
  }

  takeEvent(event: PilotEvent): void {
    this.events = [event, ...this.events.slice(0, KEPT_EVENTS - 1)];
    this.#onChange();
  }

  takeLink(link: LinkState): void {
    if (link.state === this.link.state) return;
    this.link = link;
    this.#onChange();
  }

  takeClustered(isClustered: boolean): void {
    this.isClustered = isClustered;
    this.#onChange();
  }

  /** All of it as one state, for another tab; undefined before the first. */
  whole(): { state: LiveState; heardAt: number } | undefined {
    const { asOf: at, heardAt } = this;
    if (at === undefined) return undefined;
    return { state: { at, isWhole: true, services: [...this.services.values()], gone: [] }, heardAt };
  }

  /** What was seen of a service; made for the first thing worth to remember: most of many services sleep. */
  historyOf(name: string): History {
    let history = this.#histories.get(name);
    if (history === undefined) {
      history = new History();
      this.#histories.set(name, history);
    }
    return history;
  }

  /** Whether what is shown may be wrong by now. @param now ms since the epoch */
  isOld(now: number): boolean {
    return this.asOf !== undefined && (this.link.state === 'refused' || now - this.heardAt > OLD_MS);
  }

  #remember(seconds: number, service: ServiceStatus): void {
    if (this.#histories.has(service.name) || service.state !== 'asleep' || service.perSecond.arrivals > 0)
      this.historyOf(service.name).add(seconds, service);
  }
}
