import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlotBroker } from '../../src/control/link/slot-broker.ts';
import { SlotClient } from '../../src/edge/hold/slot-client.ts';
import { Endpoint } from '../../src/edge/upstream/endpoint.ts';
import type { SlotClaim, SlotGrant } from '../../src/model/link.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';

const EDGES = ['a', 'b', 'c'];

/** One edge with its slots of two endpoints, and its side of a link on which messages take their time. */
class FakeEdge {
  readonly endpoints = ['x', 'y'].map((id) => {
    const endpoint = new Endpoint({ id, host: 'h', port: 1, state: 'ready', weight: 1, start: null });
    endpoint.slots = 0;
    return endpoint;
  });
  readonly fromControl: SlotGrant[] = [];
  readonly toControl: SlotClaim[] = [];
  readonly slots: SlotClient;
  waiting = 0;

  constructor(clock: VirtualClock) {
    const post = (claim: SlotClaim) => void this.toControl.push(claim);
    this.slots = new SlotClient({ service: 's', clock, post, waiting: () => this.waiting });
  }

  get inFlight(): number[] {
    return this.endpoints.map(({ inFlight }) => inFlight);
  }

  /** Lets go who waits, as far as slots are free. */
  pump(): void {
    for (const endpoint of this.endpoints) {
      while (this.waiting > 0 && endpoint.inFlight < endpoint.slots) {
        endpoint.inFlight++;
        this.waiting--;
      }
    }
    this.slots.changed();
  }

  arrive(count: number): void {
    this.waiting += count;
    this.pump();
  }

  finish(which: number): void {
    const endpoint = this.endpoints[which];
    if (endpoint === undefined || endpoint.inFlight === 0) return;
    endpoint.inFlight--;
    if (endpoint.owedSlots > 0) this.slots.giveBack(endpoint);
    this.pump();
  }

  receive(): void {
    const grant = this.fromControl.shift();
    const endpoint = this.endpoints.find(({ id }) => id === grant?.endpoint);
    if (grant === undefined || endpoint === undefined) return;
    this.slots.apply(endpoint, grant);
    this.pump();
  }
}

class World {
  readonly clock = new VirtualClock();
  readonly edges = new Map(EDGES.map((name) => [name, new FakeEdge(this.clock)]));
  readonly broker = new SlotBroker((edge, grant) => void this.edges.get(edge)?.fromControl.push(grant));

  constructor(capacity: number) {
    for (const edge of EDGES) this.broker.attach(edge);
    this.broker.follow('s', new Map(['x', 'y'].map((endpoint) => [endpoint, capacity])));
  }

  edge(name: string): FakeEdge {
    return this.edges.get(name) as FakeEdge;
  }

  /** What one edge has said reaches the broker. */
  deliver(name: string): void {
    const claim = this.edge(name).toControl.shift();
    if (claim !== undefined) this.broker.onClaim(name, claim);
  }

  /** Everything is delivered, and time passes. */
  settle(): void {
    for (let round = 0; round < 50; round++) {
      this.clock.advance(20);
      for (const name of EDGES) {
        while (this.edge(name).toControl.length > 0) this.deliver(name);
        while (this.edge(name).fromControl.length > 0) this.edge(name).receive();
      }
    }
  }

  mostInFlight(): number {
    const edges = [...this.edges.values()];
    return Math.max(...[0, 1].map((which) => edges.reduce((sum, { inFlight }) => sum + (inFlight[which] ?? 0), 0)));
  }
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('arrive' as const),
    edge: fc.constantFrom(...EDGES),
    count: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    kind: fc.constant('finish' as const),
    edge: fc.constantFrom(...EDGES),
    count: fc.integer({ min: 0, max: 1 }),
  }),
  fc.record({
    kind: fc.constantFrom('deliver' as const, 'receive' as const),
    edge: fc.constantFrom(...EDGES),
    count: fc.constant(0),
  }),
);

test('all edges together never have more in flight than an endpoint may, and nothing waits for ever', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.array(step, { maxLength: 120 }), (capacity, steps) => {
      const world = new World(capacity);
      for (const { kind, edge, count } of steps) {
        world.clock.advance(1);
        if (kind === 'arrive') world.edge(edge).arrive(count);
        else if (kind === 'finish') world.edge(edge).finish(count);
        else if (kind === 'deliver') world.deliver(edge);
        else world.edge(edge).receive();
        expect(world.mostInFlight()).toBeLessThanOrEqual(capacity);
      }
      const waiting = () => [...world.edges.values()].reduce((sum, edge) => sum + edge.waiting, 0);
      // Whatever waits gets its turn while requests end.
      for (let round = 0; waiting() > 0 && round < 1000; round++) {
        world.settle();
        expect(world.mostInFlight()).toBeLessThanOrEqual(capacity);
        for (const edge of world.edges.values()) for (const which of [0, 1]) edge.finish(which);
      }
      expect(waiting()).toBe(0);
    }),
    { numRuns: 300 },
  );
});
