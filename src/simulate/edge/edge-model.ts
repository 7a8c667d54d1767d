import type { ControlMessage, EdgeMessage, ProbeRequest } from '../../model/link.ts';
import type { ChannelEnd } from '../../util/channel.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Agenda } from '../agenda.ts';
import type { Fleet } from '../run/fleet.ts';
import type { EdgeService } from './edge-service.ts';

const REPORT_EVERY_MS = 1000;
/** The pause between tries of a probe is a fortieth of the time so far, within these bounds, ms. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 250;

/** An edge without sockets: speaks the Link, and has requests go to models of replicas. */
export class EdgeModel {
  readonly #clock: Clock;
  readonly #agenda: Agenda;
  readonly #link: ChannelEnd<ControlMessage, EdgeMessage>;
  readonly #fleet: Fleet;
  readonly #services: ReadonlyMap<string, EdgeService>;
  readonly #probes = new Map<string, Timer>();
  #reportedAt: number;

  constructor(
    clock: Clock,
    agenda: Agenda,
    link: ChannelEnd<ControlMessage, EdgeMessage>,
    fleet: Fleet,
    services: ReadonlyMap<string, EdgeService>,
  ) {
    this.#clock = clock;
    this.#agenda = agenda;
    this.#link = link;
    this.#fleet = fleet;
    this.#services = services;
    this.#reportedAt = clock.now();
    fleet.onGone = (port) => {
      for (const service of services.values()) service.onGone(port);
    };
    link.onMessage((message) => this.#receive(message));
    clock.every(REPORT_EVERY_MS, () => this.#report(null));
  }

  post(message: EdgeMessage): void {
    this.#link.post(message);
    this.#agenda.stir();
  }

  #receive(message: ControlMessage): void {
    switch (message.type) {
      case 'table':
        for (const policy of message.table.services) this.#services.get(policy.name)?.configure(policy);
        for (const state of message.states) this.#services.get(state.service)?.apply(state, message.version);
        break;
      case 'service':
        this.#services.get(message.state.service)?.apply(message.state, message.version);
        break;
      case 'trust':
        this.#services.get(message.service)?.onTrust(message.endpoint, message.doubt);
        break;
      case 'probe':
        this.#probe(message);
        break;
      case 'cancel-probe':
        this.#probes.get(message.probe)?.cancel();
        this.#probes.delete(message.probe);
        break;
      case 'collect':
        this.#report(message.collect);
        break;
    }
  }

  #report(collect: number | null): void {
    const now = this.#clock.now();
    const spanMs = now - this.#reportedAt;
    this.#reportedAt = now;
    const services = [...this.#services.values()].flatMap((service) => service.report(now) ?? []);
    this.post({ type: 'report', collect, spanMs, services, connections: 0, unrouted: [], accessLost: 0 });
  }

  #probe({ probe, host, port, timeoutMs }: ProbeRequest): void {
    const began = this.#clock.now();
    const look = () => {
      const elapsed = this.#clock.now() - began;
      if (this.#fleet.at(port)?.replica.answersProbes) {
        this.#probes.delete(probe);
        this.post({ type: 'probed', probe, ok: true, host });
      } else if (elapsed >= timeoutMs) {
        this.#probes.delete(probe);
        this.post({ type: 'probed', probe, ok: false, reason: 'timeout', detail: 'no answer' });
      } else {
        const pause = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, elapsed / 40));
        this.#probes.set(probe, this.#clock.after(pause, look));
      }
    };
    look();
  }
}
