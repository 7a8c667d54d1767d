import { percent, rate } from '../../util/format.ts';

/**
 * What decides how many replicas a service should have, scaling on latency aside: plain numbers, which the decision log
 * keeps, and from which it can be worked out again.
 */
export interface DemandInputs {
  min: number;
  max: number;
  initial: number;
  /** Most requests in flight per replica; 0 = no limit. */
  concurrency: number;
  /** Share of what a replica can carry that it is planned to carry. */
  utilisation: number;
  held: number;
  inFlight: number;
  /** Endpoints that may get requests, those that others run included. */
  ready: number;
  /** 1 when an operator asked for it and it is not ready yet. */
  woken: number;
  /** 1 when an operator put it to sleep and nothing asked for it since: `min` is not kept then. */
  slept: number;
  /** How many it should have while it is awake: what woke it, and scaling since. */
  target: number;
  /** Arrivals per second just before it was asked for. */
  arrivalsBeforePerSecond: number;
  /** Answers per second that one replica is known to manage; absent while unknown. */
  capacityPerSecond?: number;
}

/** From so many slots on a replica is planned to have some of them free: of fewer, that would be a replica of its own. */
const SLOTS_WITH_RESERVE = 5;

/** Replicas that the requests need by `concurrency`; 0 without such a limit. */
export function neededForConcurrency(requests: number, concurrency: number, utilisation: number): number {
  if (concurrency === 0) return 0;
  return Math.ceil(requests / (concurrency * (concurrency < SLOTS_WITH_RESERVE ? 1 : utilisation)));
}

/** A rate that is measured twice differs by so much of what a replica carries. */
const SAME_RATE = 0.1;

/**
 * Replicas that are known to carry an arrival rate, without the reserve that scaling plans with: where one carried it a
 * moment ago, one start is enough. 0 while it is unknown what one carries.
 */
function carriersOf(arrivals: number, capacity: number | undefined): number {
  return capacity === undefined || capacity <= 0 ? 0 : Math.ceil(arrivals / capacity - SAME_RATE);
}

/** What a start from zero needs beyond `initial` and `min`, as the end of a sentence; empty where those are enough. */
export function needText(inputs: DemandInputs): string {
  const { held, inFlight, concurrency, utilisation, arrivalsBeforePerSecond, capacityPerSecond = 0 } = inputs;
  const forRequests = neededForConcurrency(held + inFlight, concurrency, utilisation);
  const forRate = carriersOf(arrivalsBeforePerSecond, capacityPerSecond);
  if (Math.max(forRequests, forRate) <= Math.max(1, inputs.initial, inputs.min)) return '';
  return forRequests >= forRate
    ? `; ${forRequests} needed at ${percent(utilisation)} % of ${concurrency} each`
    : `; ${rate(arrivalsBeforePerSecond)}/s just before need ${forRate} at ${rate(capacityPerSecond)}/s each`;
}

/**
 * How many replicas the service should have. From zero: the greatest of `initial`, `min` and the need by `concurrency`
 * or by the rate just before; never from the number held. While it is awake: its target.
 */
export function wantedReplicas(inputs: DemandInputs): number {
  const floor = inputs.slept === 1 ? 0 : inputs.min;
  if (inputs.ready > 0) return Math.min(inputs.max, Math.max(floor, inputs.target));
  if (inputs.held === 0 && inputs.woken === 0) return Math.min(inputs.max, floor);
  const { concurrency, utilisation, arrivalsBeforePerSecond, capacityPerSecond } = inputs;
  const need = Math.max(
    neededForConcurrency(inputs.inFlight + inputs.held, concurrency, utilisation),
    carriersOf(arrivalsBeforePerSecond, capacityPerSecond),
  );
  return Math.min(inputs.max, Math.max(1, inputs.initial, inputs.min, need));
}
