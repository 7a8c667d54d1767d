/**
 * How long a change in Consul takes to reach the proxy's discovery: `npm run load:consul [-- CHANGES]`.
 * Starts a Consul agent of its own, registers one more instance or takes one out, 50 times unless told, and prints
 * the time from sending the request to the pushed endpoint set.
 */
import { createConsulSource } from '../src/discovery/consul/source.ts';
import type { EndpointSet } from '../src/model/discovery.ts';
import { silentLogger } from '../src/model/observe.ts';
import { sleep, systemClock } from '../src/util/clock.ts';
import { ConsulAgent } from '../test/support/consul-agent.ts';
import { findOrFetchConsul } from '../test/support/consul-binary.ts';
import { registerEntry, removeEntry } from '../test/support/consul-catalog.ts';
import { countsFrom } from './support/arguments.ts';

const [changes] = countsFrom('usage: npm run load:consul [-- CHANGES]', 50);
/** Apart enough that each is a change of its own. */
const APART_MS = 150;
const NAME = 'latency';

const abort = new AbortController();
const agent = await ConsulAgent.start(await findOrFetchConsul());
try {
  print(await measure());
} finally {
  abort.abort();
  await agent.stop();
}

async function measure(): Promise<number[]> {
  let onSet: (set: EndpointSet) => void = () => undefined;
  const settings = { address: agent.address, token: undefined } as const;
  const source = createConsulSource({
    settings: { ...settings, register: false, advertise: undefined },
    clock: systemClock,
    logger: silentLogger,
    instance: 'latency',
  });
  source.follow([{ service: NAME, sought: { service: NAME } }]);
  source.run((set) => onSet(set), abort.signal);

  const change = async (what: () => Promise<void>, count: number): Promise<number> => {
    const arrived = new Promise<number>((resolve) => {
      onSet = (set) => {
        if (set.endpoints.length === count) resolve(performance.now());
      };
    });
    const from = performance.now();
    await what();
    return (await arrived) - from;
  };

  // The first stays, so that no change is the emptying of the service, which is doubted for 2 s.
  await change(() => registerEntry(agent.address, { id: `${NAME}-0`, name: NAME, port: 4000 }), 1);
  const took: number[] = [];
  for (let i = 0; i < changes; i++) {
    await sleep(systemClock, APART_MS, abort.signal);
    const entry = { id: `${NAME}-1`, name: NAME, port: 4001 };
    const isIn = i % 2 === 1;
    const what = () => (isIn ? removeEntry(agent.address, entry.id) : registerEntry(agent.address, entry));
    took.push(await change(what, isIn ? 1 : 2));
  }
  return took;
}

function print(took: number[]): void {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => `${(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(1)} ms`;
  console.log(
    `Consul change -> endpoints known, ${took.length} changes: p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`,
  );
}
