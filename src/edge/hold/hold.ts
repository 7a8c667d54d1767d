import type { EdgeMessage, SlotGrant } from '../../model/link.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import type { ServicePolicy } from '../../model/snapshot.ts';
import type { Clock } from '../../util/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { DemandReporter } from './demand-reporter.ts';
import { HoldQueue } from './hold-queue.ts';
import { Release, type Releasing } from './release.ts';
import { SlotClient } from './slot-client.ts';
import type { Waiter } from './waiter.ts';

/** The service that somebody waits for. */
export interface HoldingService extends Releasing {
  readonly name: string;
  readonly policy: ServicePolicy;
  /** Number of requests in flight that may keep the service awake. */
  readonly activeInFlight: number;
  /** Whether the configuration bounds the requests in flight of every endpoint, so that edges may share slots. */
  readonly hasSlots: boolean;
}

/** What a hold needs of the edge. */
interface HoldContext {
  readonly clock: Clock;
  /** Sends to the control plane. */
  post(message: EdgeMessage): void;
}

/** Holds those who wait for a start or a slot of one service. It tells control how many they are, and releases them. */
export class Hold {
  readonly queue = new HoldQueue();
  readonly #service: HoldingService;
  readonly #context: HoldContext;
  readonly #release: Release;
  // Most services hold nothing and bound nothing, so these are made at their first use.
  #demand: DemandReporter | undefined;
  #slots: SlotClient | undefined;

  constructor(service: HoldingService, context: HoldContext) {
    this.#service = service;
    this.#context = context;
    this.#release = new Release(service, this.queue, context.clock);
  }

  /** @param front it was dispatched before, so it goes first */
  add(waiter: Waiter, front: boolean): void {
    if (front) this.queue.unshift(waiter);
    else this.queue.push(waiter);
    this.#changed();
  }

  /** A waiter was dispatched, refused or aborted. */
  remove(waiter: Waiter): void {
    this.queue.remove(waiter);
    this.#changed();
  }

  /** Refuses everything that waits now. A request that a client sent behind a refused one is not refused. */
  refuseAll(code: RefusalCode): void {
    for (let left = this.queue.size; left > 0; left--) this.queue.first?.refuse(code);
  }

  /** The last endpoint is gone: those who waited for a slot wait for a start now. */
  awaitStart(): void {
    for (let each = this.queue.first; each !== undefined; ) {
      // It may leave the queue and come back at its end, as the next request of its connection.
      const next: Waiter | undefined = each.nextHeld;
      each.waitForStart();
      each = next;
    }
  }

  /** `fresh` more endpoints take requests: begins to release, unless that is under way. */
  release(fresh: number): void {
    this.#release.begin(fresh);
  }

  /** Somebody left an endpoint, or one is not in doubt any more: releases whom it has room for. */
  releaseSome(): void {
    if (this.queue.size > 0) this.#release.pump();
  }

  /** A request got its first byte, so a paced release goes faster. */
  onFirstByte(): void {
    if (this.queue.size > 0) this.#release.onFirstByte();
  }

  /** Control grants or recalls slots of an endpoint. */
  onSlots(endpoint: Endpoint, grant: SlotGrant): void {
    this.#slotClient().apply(endpoint, grant);
    this.releaseSome();
    this.lookForSlots();
  }

  /** Gives back recalled slots that are free. */
  giveSlotsBack(endpoint: Endpoint): void {
    this.#slots?.giveBack(endpoint);
  }

  /** The endpoints or the queue changed, and with them perhaps the number that waits for slots. */
  lookForSlots(): void {
    const service = this.#service;
    if (this.#slots !== undefined || (service.policy.sharesSlots && service.hasSlots)) this.#slotClient().changed();
  }

  /** Another control plane speaks to this edge: tells it who waits, and which slots are in use. */
  tellAgain(endpoints: Iterable<Endpoint>): void {
    this.#demand?.again();
    this.#slots?.again(endpoints);
  }

  close(): void {
    this.#release.stop();
    this.#slots?.close();
    this.#demand?.close();
  }

  #changed(): void {
    this.lookForSlots();
    this.#tellDemand();
  }

  #slotClient(): SlotClient {
    const { clock, post } = this.#context;
    const service = this.#service;
    this.#slots ??= new SlotClient({
      service: service.name,
      clock,
      post,
      waiting: () => (service.isReady && service.hasSlots ? this.queue.size : 0),
    });
    return this.#slots;
  }

  #tellDemand(): void {
    const service = this.#service;
    // A demand that was told is taken back even when nothing can be started any more.
    if (!service.policy.wakeable && this.#demand === undefined) return;
    const { clock, post } = this.#context;
    this.#demand ??= new DemandReporter(
      clock,
      () => this.queue.asking,
      (held) => post({ type: 'demand', service: service.name, held, inFlight: service.activeInFlight }),
    );
    this.#demand.changed();
  }
}
