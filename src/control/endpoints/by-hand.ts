import type { SetByHand } from '../../model/hand-over.ts';
import type { EndpointByHand } from '../../model/status.ts';

/** Services that went, of which something is set; beyond that the one that went first is forgotten. */
const MAX_GONE = 1000;
/** Addresses of a service that are remembered; beyond that the one that was set first is forgotten. */
const MAX_ADDRESSES = 1000;

/** What holds where nothing is set. */
export const UNTOUCHED: EndpointByHand = { drain: false, weight: null };

/** What operators set of the endpoints of one service: it holds until it is changed, also while the address is away. */
export class EndpointsByHand {
  readonly #byAddress = new Map<string, EndpointByHand>();
  readonly #onChange: () => void;

  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** By the key of an address; undefined where nothing is set. */
  of(key: string): EndpointByHand | undefined {
    return this.#byAddress.get(key);
  }

  set(key: string, change: Partial<EndpointByHand>): void {
    const next = { ...(this.#byAddress.get(key) ?? UNTOUCHED), ...change };
    const was = this.#byAddress.delete(key);
    const isSet = next.drain || next.weight !== null;
    if (isSet) {
      const [first] = this.#byAddress.keys();
      if (first !== undefined && this.#byAddress.size >= MAX_ADDRESSES) this.#byAddress.delete(first);
      this.#byAddress.set(key, next);
    }
    if (was || isSet) this.#onChange();
  }

  /** For comparison with what was told before; undefined where nothing is set. */
  get content(): readonly (readonly [string, EndpointByHand])[] | undefined {
    return this.#byAddress.size === 0 ? undefined : [...this.#byAddress];
  }
}

/** Keeps it for the control plane that comes next. */
export interface KeptEndpoints {
  readonly endpoints: readonly SetByHand[];
  putEndpoints(all: readonly SetByHand[]): void;
}

/** The same of all services: of one that goes it is kept, as what declares it may come back. */
export class ServicesByHand {
  readonly #byService = new Map<string, EndpointsByHand>();
  readonly #gone = new Set<string>();

  #onChange: () => void = () => undefined;

  /**
   * @param known what holds from the beginning on
   * @param keep told all of it whenever it changes
   */
  constructor(known: readonly SetByHand[] = [], keep?: (all: SetByHand[]) => void) {
    for (const { service, address, drain, weight } of known) {
      this.of(service).set(address, { drain, weight });
      this.leave(service);
    }
    if (keep !== undefined) this.#onChange = () => keep(this.all);
  }

  /** Of a service that is there from now on. */
  of(service: string): EndpointsByHand {
    this.#gone.delete(service);
    const found = this.#byService.get(service) ?? new EndpointsByHand(() => this.#onChange());
    this.#byService.set(service, found);
    return found;
  }

  /** The service goes. */
  leave(service: string): void {
    if (this.#byService.get(service)?.content === undefined) {
      this.#byService.delete(service);
      return;
    }
    this.#gone.add(service);
    const [first] = this.#gone;
    if (first === undefined || this.#gone.size <= MAX_GONE) return;
    this.#gone.delete(first);
    this.#byService.delete(first);
  }

  /** All that is set, for a successor. */
  get all(): SetByHand[] {
    return [...this.#byService].flatMap(([service, { content = [] }]) =>
      content.map(([address, set]) => ({ service, address, ...set })),
    );
  }
}
