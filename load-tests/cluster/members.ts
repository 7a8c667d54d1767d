/** Members of a cluster whose edges serve nobody: they report each second, and acknowledge what they are told. */
import { createClusterWire } from '../../src/control/cluster/wire/cluster-wire.ts';
import type { ControlMessage, EdgeMessage, EdgeReport, ServiceReport } from '../../src/model/link.ts';
import { silentLogger } from '../../src/model/observe.ts';
import { type ChannelEnd, createChannel } from '../../src/util/channel.ts';
import { systemClock } from '../../src/util/clock.ts';
import { bucketOf } from '../../src/util/histogram.ts';

const [port = '', secret = '', members = '', edges = '', busy = ''] = process.argv.slice(2);
const COUNTS = Array.from({ length: 12 }, (_, index) => [bucketOf(2 + index), 1 + (index % 5)]).flat();
const report = JSON.stringify(reportOf(Number(busy)));

// With the leader's process they are of no use.
process.stdin.on('end', () => process.exit()).resume();

/** Edges that have their table. */
const led = new Set<string>();
for (let index = 0; index < Number(members); index++) {
  const member = `member-${index}`;
  const wire = createClusterWire({
    clock: systemClock,
    logger: silentLogger,
    cluster: 'load',
    secret,
    member,
    advertise: { host: '127.0.0.1', port: 1 },
    build: 'load',
  });
  for (let edge = 1; edge <= Number(edges); edge++) {
    const [below, above] = createChannel<ControlMessage, EdgeMessage>();
    wire.relay.attach(`edge-${edge}`, above);
    act(below, `${member}/edge-${edge}`);
  }
  wire.relay.follow({ member: 'leader', address: { host: '127.0.0.1', port: Number(port) }, index: 1 });
}

function act(link: ChannelEnd<ControlMessage, EdgeMessage>, name: string): void {
  link.onMessage((message) => {
    if (message.type === 'led') link.post({ type: 'led', term: message.term });
    if (message.type === 'table' && !led.has(name)) {
      led.add(name);
      if (led.size === Number(members) * Number(edges)) process.stdout.write('attached\n');
    }
    if (message.type !== 'service' && message.type !== 'table') return;
    const { version } = message;
    const none = { inFlight: 0, quiet: 0, passive: 0, idleForMs: 0 };
    link.post({ type: 'ack', version, service: 'none', endpoint: 'none', ...none });
  });
  // As real edges, they do not report in one moment.
  systemClock.after(Math.random() * 1000, () => {
    systemClock.every(1000, () => link.post(JSON.parse(report) as EdgeReport));
  });
}

function reportOf(count: number): EdgeReport {
  const services = Array.from({ length: count }, (_, index) => serviceReport(`service-${index}`));
  return { type: 'report', collect: null, spanMs: 1000, services, connections: 40, unrouted: [], accessLost: 0 };
}

/** What an edge says of a service that gets some 40 requests a second. */
function serviceReport(service: string): ServiceReport {
  return {
    service,
    requests: 40,
    arrivals: 40,
    codes: [200, 40],
    completions: 40,
    good: 40,
    errors: 0,
    resets: 0,
    shed: 0,
    retries: 0,
    inFlight: 1,
    passive: 0,
    loadMs: 300,
    queued: [],
    held: 0,
    heldBytes: 0,
    holdRejected: { full: 0, bytes: 0, client: 0, deadline: 0, failed: 0, denied: 0 },
    idleForMs: 0,
    lastRequest: 'GET /orders/recent',
    ttfb: COUNTS,
    total: COUNTS,
    endpoints: Array.from({ length: 3 }, (_, index) => ({
      endpoint: `static-${service}-${index}`,
      inFlight: 0,
      answers: 13,
      ttfb: COUNTS.slice(0, 16),
      calm: COUNTS.slice(0, 8),
      waiting: [],
    })),
  };
}
