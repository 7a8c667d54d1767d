import type { EdgeMessage, EdgeReport, ServiceReport } from '../../model/link.ts';
import { counted } from '../../util/format.ts';
import { Throttle } from '../../util/throttle.ts';
import { formatDuration } from '../../util/units.ts';
import type { ControlContext } from '../context.ts';
import { countEdge, countReport } from '../journal/report-metrics.ts';
import type { Doubts, LinkListener } from '../link/hub.ts';
import type { Services } from './services.ts';

type Message<Type extends EdgeMessage['type']> = Extract<EdgeMessage, { type: Type }>;

/** Passes on what the edges say: to the services that it is about, to people, and to the metrics. */
export class EdgeNews implements LinkListener {
  readonly #context: ControlContext;
  readonly #services: Services;
  readonly #badAnswers = new Throttle();
  /** By edge: services that it has said anything of. */
  readonly #told = new Map<string, Set<string>>();

  constructor(context: ControlContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  onDemand(edge: string, { service, held, inFlight }: Message<'demand'>): void {
    this.#toldOf(edge).add(service);
    this.#services.byName.get(service)?.onDemand(edge, held, inFlight);
  }

  onReport(edge: string, report: EdgeReport): void {
    const byService = new Map<string, ServiceReport>(report.services.map((each) => [each.service, each]));
    countEdge(this.#context.metrics, report);
    const told = this.#toldOf(edge);
    this.#services.each((service) => {
      told.add(service.name);
      service.onReport(edge, report.spanMs, byService.get(service.name));
    }, this.#services.undormant(byService));
  }

  onLate(totals: Message<'late'>): void {
    const { metrics } = this.#context;
    countEdge(metrics, totals);
    for (const each of totals.services) if (this.#services.byName.has(each.service)) countReport(metrics, each);
  }

  onAck(edge: string, message: Message<'ack'>): void {
    this.#toldOf(edge).add(message.service);
    this.#services.byName.get(message.service)?.onAck(edge, message);
  }

  onDrained(edge: string, message: Message<'drained'>): void {
    this.#services.byName.get(message.service)?.lifecycle.set.onDrained(edge, message.endpoint, message);
  }

  onSuspect(edge: string, message: Message<'suspect'>, doubts: Doubts): void {
    this.#services.byName.get(message.service)?.onSuspect(
      message,
      () => doubts.trust(edge, message),
      () => doubts.doubt(edge, message),
    );
  }

  /** Of several edges, each has its minute: together they have one. */
  onBadAnswer({ service, address, fault, count: more }: Message<'bad-answer'>): void {
    const count = this.#badAnswers.note(`${service} ${address} ${fault}`, this.#context.clock.now(), more);
    if (count === 0) return;
    const line = `${service} got an answer from ${address} that is not valid HTTP: ${fault}${often(count)}`;
    this.#context.events.emit('bad-answer', service, line, { address, fault, count });
  }

  /** The same for connections. */
  onUnreachable({ service, address, reason, count: more }: Message<'unreachable'>): void {
    const count = this.#badAnswers.note(`${service} ${address} ${reason}`, this.#context.clock.now(), more);
    if (count === 0) return;
    const line = `${service} cannot connect to ${address}: ${reason}${often(count)}`;
    this.#context.events.emit('unreachable', service, line, { address, reason, count });
  }

  onEjected({ service, address, forMs, failures, why }: Message<'ejected'>): void {
    const line = `${service} ejected ${address} for ${formatDuration(forMs)}: ${counted(failures, 'failure')} in a row`;
    this.#context.events.emit('ejected', service, `${line}, the last: ${why}`, { address, forMs, failures, why });
  }

  onDetached(edge: string): void {
    const now = this.#context.clock.now();
    // A proxy takes its edges along, and most of thousands of services sleep: nothing of those has to be planned anew.
    this.#services.each((service) => service.onDetached(edge, now), this.#services.undormant(this.#told.get(edge)));
    this.#told.delete(edge);
  }

  onReturned(edge: string): void {
    this.#services.each(({ lifecycle }) => lifecycle.set.onReturned(edge), this.#services.undormant());
  }

  #toldOf(edge: string): Set<string> {
    const told = this.#told.get(edge) ?? new Set();
    this.#told.set(edge, told);
    return told;
  }
}

function often(count: number): string {
  return count > 1 ? ` (${count} times since this was last said)` : '';
}
