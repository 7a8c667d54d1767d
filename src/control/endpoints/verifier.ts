import type { ProbeRequest } from '../../model/link.ts';
import type { HostPort } from '../../model/settings.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { sleep } from '../../util/clock.ts';
import { hostPort, isSocketPath } from '../../util/host-port.ts';
import { type ControlContext, detached } from '../context.ts';
import type { LinkHub } from '../link/hub.ts';

/** A found address has this long to answer one probe, ms. */
const PROBE_MS = 5000;
/** Between probes of an address that did not answer, ms. */
const RETRY = { base: 1000, cap: 30_000, jitter: 0.2 };

interface Candidate {
  address: HostPort;
  check: ProbeRequest['check'];
  state: 'probing' | 'verified';
  abort: AbortController;
}

/** Key of an address: what makes two entries the same. It is what people see, too. */
export function addressKey({ host, port }: HostPort): string {
  return hostPort({ host: isSocketPath(host) ? host : host.toLowerCase(), port });
}

/**
 * Proves addresses that others list for a service which Pilotlight can start: such an entry may be the leftover of a
 * replica that is long gone, or its port may belong to something else by now.
 */
export class EndpointVerifier {
  readonly #context: ControlContext;
  readonly #hub: LinkHub;
  readonly #changed: (service: string) => void;
  readonly #services = new Map<string, Map<string, Candidate>>();

  /** @param changed called when an address of the service was proved, or is in doubt again */
  constructor(context: ControlContext, hub: LinkHub, changed: (service: string) => void) {
    this.#context = context;
    this.#hub = hub;
    this.#changed = changed;
  }

  /** Proves exactly these addresses of a service: new ones from now on, missing ones no more. */
  follow(service: string, check: ProbeRequest['check'], addresses: readonly HostPort[]): void {
    const before = this.#services.get(service) ?? new Map<string, Candidate>();
    const after = new Map<string, Candidate>();
    for (const address of addresses) {
      const key = addressKey(address);
      const known = before.get(key);
      before.delete(key);
      if (known !== undefined) {
        known.check = check;
        after.set(key, known);
        continue;
      }
      const candidate: Candidate = { address, check, state: 'probing', abort: new AbortController() };
      after.set(key, candidate);
      this.#begin(service, candidate);
    }
    for (const dropped of before.values()) dropped.abort.abort();
    if (after.size > 0) this.#services.set(service, after);
    else this.#services.delete(service);
  }

  isVerified(service: string, address: HostPort): boolean {
    return this.#services.get(service)?.get(addressKey(address))?.state === 'verified';
  }

  /** A connect to it failed: out of use until it answers again. */
  doubt(service: string, key: string): void {
    const candidate = this.#services.get(service)?.get(key);
    if (candidate?.state !== 'verified') return;
    candidate.state = 'probing';
    this.#changed(service);
    this.#begin(service, candidate);
  }

  #begin(service: string, candidate: Candidate): void {
    detached(this.#context, `verify ${addressKey(candidate.address)}`, this.#prove(service, candidate));
  }

  async #prove(service: string, candidate: Candidate): Promise<void> {
    const { clock, random, life } = this.#context;
    const { signal } = candidate.abort;
    const stop = () => candidate.abort.abort();
    life.addEventListener('abort', stop, { once: true });
    try {
      for (let failures = 1; ; failures++) {
        const { address, check } = candidate;
        const endpoint = addressKey(address);
        const outcome = await this.#hub.probe({ service, endpoint, ...address, check, timeoutMs: PROBE_MS }, signal);
        if (outcome.ok) break;
        await sleep(clock, backoffDelay(failures, RETRY, random), signal);
      }
    } catch {
      return; // Dropped meanwhile: nothing else ends the loop.
    } finally {
      life.removeEventListener('abort', stop);
    }
    candidate.state = 'verified';
    this.#changed(service);
  }
}
