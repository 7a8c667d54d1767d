import { beforeEach, describe, expect, test } from 'vitest';
import { CheckGate } from '../../../src/edge/health/check-gate.ts';
import type { Waiter } from '../../../src/edge/hold/waiter.ts';
import { Deadlines } from '../../../src/edge/io/deadlines.ts';
import { holdRefusal } from '../../../src/edge/service/admission.ts';
import type { ServiceContext } from '../../../src/edge/service/context.ts';
import { Service } from '../../../src/edge/service/service.ts';
import type { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import type { InFlight } from '../../../src/edge/upstream/in-flight.ts';
import type { EdgeMessage } from '../../../src/model/link.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import type { RefusalCode } from '../../../src/model/refusals.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { at, policy, state } from '../edge-harness.ts';

const clock = new VirtualClock();
let posted: EdgeMessage[] = [];
const context: ServiceContext = {
  clock,
  logger: silentLogger,
  deadlines: new Deadlines(clock),
  checkGate: new CheckGate(1),
  ledUntil: Number.POSITIVE_INFINITY,
  post: (message) => posted.push(message),
  httpProxyEngine: () => {
    throw new Error('no engine is asked for');
  },
  transportOf: () => undefined,
  takeProbed: () => undefined,
};

/** A session that knows nothing of HTTP, as one of TCP. */
class Session implements Waiter, InFlight {
  previousHeld: Waiter | undefined;
  nextHeld: Waiter | undefined;
  previousInFlight: InFlight | undefined;
  nextInFlight: InFlight | undefined;
  readonly passive = false;
  readonly isLoad = false;
  readonly isHalfClosed = false;
  readonly holdsBytes = false;
  readonly avoid = undefined;
  readonly isTunnel = true;
  readonly action = 'TCP';
  readonly target = 'db';
  readonly startedAt = clock.now();
  readonly since = clock.now();
  readonly address: string;
  endpoint: Endpoint | undefined;
  refusal: RefusalCode | undefined;
  readonly #service: Service;

  constructor(service: Service, address: string) {
    this.#service = service;
    this.address = address;
    service.hold(this, false);
  }

  hashKey(): undefined {}

  stuckTo(): undefined {}

  release(endpoint: Endpoint): void {
    this.#service.unhold(this);
    this.endpoint = endpoint;
    endpoint.link(this);
  }

  queuedMs(): number {
    return 0;
  }

  waitForStart(): void {}

  yieldPlace(why: RefusalCode): void {
    this.refuse(why);
  }

  refuse(code: RefusalCode): void {
    this.#service.unhold(this);
    this.refusal = code;
  }

  quietSince(): undefined {}

  waitedMs(): undefined {}

  leaveDead(): void {}

  cutOff(): void {
    const endpoint = this.endpoint as Endpoint;
    this.endpoint = undefined;
    endpoint.unlink(this);
    this.#service.onLeft(this, endpoint, clock.now());
  }
}

describe('a session that is no request', () => {
  let service: Service;
  const sent = <Type extends EdgeMessage['type']>(type: Type) => posted.filter((message) => message.type === type);

  beforeEach(() => {
    posted = [];
    service = new Service(context, policy({ hold: { perClient: 1 } }));
  });

  test('is held, asks for the service, and is released when that is ready', () => {
    const session = new Session(service, '10.0.0.1');
    expect(sent('demand')).toEqual([{ type: 'demand', service: 'app', held: 1, inFlight: 0 }]);
    service.apply(state({ endpoints: [at({ port: 5432 })] }), 1);
    expect(session.endpoint?.port).toBe(5432);
    expect(service.queue.size).toBe(0);
  });

  test('is bounded as requests are', () => {
    const waiting = new Session(service, '10.0.0.1');
    const edge = { clock, draining: false, handingOver: false };
    expect(holdRefusal(service, '10.0.0.1', false, edge)).toBe('HOLD_CLIENT');
    expect(holdRefusal(service, '10.0.0.2', false, edge)).toBeUndefined();
    expect(holdRefusal(service, '10.0.0.2', false, { ...edge, draining: true })).toBe('DRAINING');
    expect(waiting.refusal).toBeUndefined();
  });

  test('is refused when the start fails', () => {
    const session = new Session(service, '10.0.0.1');
    service.apply(state({ failures: 1 }), 1);
    expect(session.refusal).toBe('START_FAILED');
  });

  test('is activity, keeps its endpoint from being drained, and is cut when that closes', () => {
    const session = new Session(service, '10.0.0.1');
    service.apply(state({ endpoints: [at({ port: 5432 })] }), 1);
    clock.advance(60_000);
    expect(service.report(clock.now())).toMatchObject({ inFlight: 1, idleForMs: 0, lastRequest: 'TCP db' });
    service.apply(state({ endpoints: [at({ port: 5432 }, { state: 'cordoned' })] }), 2);
    service.sweep(clock.now());
    expect(sent('ack')).toMatchObject([{ endpoint: 'e-5432', version: 2, inFlight: 1, idleForMs: 0 }]);
    expect(sent('drained')).toEqual([]);
    service.apply(state({ endpoints: [at({ port: 5432 }, { state: 'closing' })] }), 3);
    expect(session.endpoint).toBeUndefined();
    expect(sent('drained')).toMatchObject([{ endpoint: 'e-5432', version: 2, quiet: 0 }]);
  });
});
