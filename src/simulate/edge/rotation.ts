import type { HealthSettings, OutlierSettings } from '../../model/balancing.ts';
import type { EndpointReport } from '../../model/link.ts';
import type { EndpointView } from '../../model/snapshot.ts';
import { type Agenda, Call } from '../agenda.ts';
import type { Random } from '../random.ts';
import type { Fleet } from '../run/fleet.ts';
import { EdgeEndpoint } from './edge-endpoint.ts';
import { pickEndpoint } from './pick.ts';

/** The endpoints of one service, and which of them get requests. */
export class Rotation {
  readonly #agenda: Agenda;
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #endpoints = new Map<string, EdgeEndpoint>();
  #open: EdgeEndpoint[] = [];
  #readyCount = 0;
  /** When an endpoint last became ready: only requests that came then or later are timed. */
  #addedAt = 0;

  constructor(agenda: Agenda, fleet: Fleet, random: Random) {
    this.#agenda = agenda;
    this.#fleet = fleet;
    this.#random = random;
  }

  /** How many control has declared ready. */
  get readyCount(): number {
    return this.#readyCount;
  }

  get size(): number {
    return this.#endpoints.size;
  }

  [Symbol.iterator](): Iterator<EdgeEndpoint> {
    return this.#endpoints.values();
  }

  get(id: string): EdgeEndpoint | undefined {
    return this.#endpoints.get(id);
  }

  /** Takes over what control says. */
  apply(views: readonly EndpointView[]): void {
    const { now } = this.#agenda;
    const listed = new Set(views.map(({ id }) => id));
    let isAdded = false;
    for (const { id, port, state } of views) {
      const endpoint = this.#endpoints.get(id) ?? new EdgeEndpoint(id, this.#fleet.at(port));
      this.#endpoints.set(id, endpoint);
      isAdded ||= state === 'ready' && endpoint.state !== 'ready';
      endpoint.state = state;
      this.#fleet.mark(port, state === 'ready' ? 'ready' : 'retiring');
    }
    for (const id of this.#endpoints.keys()) if (!listed.has(id)) this.#endpoints.delete(id);
    if (isAdded) {
      this.#addedAt = now;
      for (const endpoint of this.#endpoints.values()) endpoint.timeAnew();
    }
    this.#readyCount = views.filter(({ state }) => state === 'ready').length;
    this.sort();
  }

  /**
   * @param limit most requests in flight on an endpoint
   * @param avoid the endpoint that failed the request before
   * @returns undefined where there is none, or none with room
   */
  pick(limit: number, avoid: EdgeEndpoint | undefined): EdgeEndpoint | undefined {
    return this.#readyCount > 0 ? pickEndpoint(this.#open, limit, avoid, this.#random) : undefined;
  }

  /** Whether the time of a request that arrived then says how the service is now. */
  times(arrivedAt: number): boolean {
    return arrivedAt >= this.#addedAt;
  }

  /** Decides anew who gets requests: the sound ones that are not ejected; without any of these, all sound ones. */
  sort(): void {
    const sound = [...this.#endpoints.values()].filter(
      ({ state, isSuspect, isUnhealthy }) => state === 'ready' && !isSuspect && !isUnhealthy,
    );
    const usable = sound.filter(({ ejectedUntil }) => ejectedUntil === 0);
    this.#open = usable.length > 0 ? usable : sound;
  }

  /** An endpoint answered. @returns for how long it is ejected by that, ms; 0: it is not */
  judge(endpoint: EdgeEndpoint, isFailure: boolean, outlier: OutlierSettings): number {
    const forMs = endpoint.judge(isFailure, outlier, this.#agenda.now, () => this.#mayEject(outlier.maxShare));
    if (forMs === 0) return 0;
    this.sort();
    const back = new Call(() => {
      endpoint.takeBack(this.#agenda.now);
      this.sort();
    });
    this.#agenda.enter(back, this.#agenda.now + forMs);
    return forMs;
  }

  /** Has every endpoint checked. */
  checkHealth(health: HealthSettings): void {
    const { now } = this.#agenda;
    for (const endpoint of this.#endpoints.values()) {
      const replica = endpoint.running?.replica;
      const isOk = replica?.answersProbes === true && !replica.isSick;
      if (endpoint.state === 'ready' && endpoint.checked(isOk, health, now)) this.sort();
    }
  }

  report(now: number): EndpointReport[] {
    return [...this.#endpoints.values()].map((endpoint) => endpoint.report(now, this.#addedAt));
  }

  #mayEject(maxShare: number): boolean {
    const ready = [...this.#endpoints.values()].filter(({ state }) => state === 'ready');
    const most = Math.max(0, Math.min(Math.floor(ready.length * maxShare), ready.length - 1));
    return ready.filter(({ ejectedUntil }) => ejectedUntil > 0).length < most;
  }
}
