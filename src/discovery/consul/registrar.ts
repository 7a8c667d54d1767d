import type { EventEmitter } from 'node:events';
import type { Registrar, Registration } from '../../model/discovery.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { Clock } from '../../util/clock.ts';
import { hostPort } from '../../util/host-port.ts';
import { answerOf, ConsulCalls } from './calls.ts';
import { consulConnection, type TokenOf } from './connection.ts';
import { OWN_ID_PREFIX, OWN_META_KEY } from './entries.ts';
import { type ConsulChoice, type ConsulService, type ConsulSettings, withDefaults } from './settings.ts';

interface ConsulRegistrarOptions {
  settings: ConsulSettings;
  /** The token, asked for each call; the one of the settings unless told. */
  token?: TokenOf;
  clock: Clock;
  logger: Logger;
  /** This Pilotlight's identity; part of the ids of what it registers. */
  instance: string;
}

/**
 * Registers through the local agent. Every entry carries a TCP check, run by the agent, so that what a crash left
 * behind is out of use in 10 s and out of the catalog in 10 minutes, even if this Pilotlight never comes back. The
 * check starts as passing: an entry is put in only when what it names is ready.
 * @throws DISCOVERY_FAILED when the address is no URL
 */
export function createConsulRegistrar(options: ConsulRegistrarOptions): Registrar {
  return new ConsulRegistrar(options);
}

/** How long one call may take, ms. */
const CALL_MS = 5000;
const CHECK = { interval: '10s', timeout: '2s', status: 'passing', deregistercriticalserviceafter: '10m' };

/** What is used of the package, whose own types know neither `ctx` nor what the calls return. */
interface AgentService {
  register(options: Record<string, unknown>): Promise<unknown>;
  deregister(options: Record<string, unknown>): Promise<unknown>;
  list(options: Record<string, unknown>): Promise<Record<string, { Meta?: Record<string, string> | null }>>;
}

class ConsulRegistrar implements Registrar {
  readonly title = 'Consul';
  readonly lists: Registrar['lists'];
  readonly advertise: string | undefined;
  readonly #defaults: ConsulChoice;
  readonly #calls: ConsulCalls<{ agent: { service: AgentService } }>;
  readonly #logger: Logger;
  readonly #instance: string;

  constructor({ settings, token, clock, logger, instance }: ConsulRegistrarOptions) {
    this.lists = settings.register === 'edge' ? 'edge' : 'replicas';
    this.advertise = settings.advertise;
    this.#defaults = settings;
    // An entry belongs to the agent that it was put in at: of several always the first.
    const connection = consulConnection({ ...settings, address: [settings.address].flat()[0] ?? '' }, token);
    this.#calls = new ConsulCalls(connection, clock);
    this.#logger = logger;
    this.#instance = instance;
  }

  /** What follows a service in Consul is listed as that service. */
  listingOf({ name, endpoints }: ServiceSettings): { name: string; tags: string[] } {
    const followed = endpoints['consul'] as ConsulService | undefined;
    if (followed === undefined) return { name, tags: [] };
    return { name: followed.service, tags: [...(withDefaults(followed, this.#defaults).tags ?? [])] };
  }

  async register(entry: Registration, signal: AbortSignal): Promise<void> {
    const { id, name, tags, host, port } = entry;
    const meta = { [OWN_META_KEY]: this.#instance };
    const check = { ...CHECK, name: 'accepts connections', tcp: hostPort(entry) };
    const options = { id, name, tags, address: host, port, meta, check };
    await this.#call(`register ${id} in Consul`, signal, (service, ctx) => service.register({ ...options, ctx }));
    this.#logger.debug({ id, name, address: hostPort(entry) }, `registered ${id} in Consul`);
  }

  async deregister(id: string, signal: AbortSignal): Promise<void> {
    await this.#call(`deregister ${id} in Consul`, signal, async (service, ctx) => {
      try {
        await service.deregister({ id, ctx });
      } catch (thrown) {
        if (!isUnknown(thrown)) throw thrown;
      }
    });
    this.#logger.debug({ id }, `deregistered ${id} from Consul`);
  }

  async registered(signal: AbortSignal): Promise<string[]> {
    const entries = await this.#call('list our entries in Consul', signal, async (service, ctx) => {
      const listed = await service.list({ ctx });
      if (typeof listed === 'object' && listed !== null) return listed;
      throw new PilotlightError('DISCOVERY_FAILED', 'the answer is no list of services');
    });
    const prefix = `${OWN_ID_PREFIX}${this.#instance}-`;
    // The prefix alone does not tell instance `a` from instance `a-b`.
    const isOurs = (id: string) => id.startsWith(prefix) && entries[id]?.Meta?.[OWN_META_KEY] === this.#instance;
    return Object.keys(entries).filter(isOurs).sort();
  }

  #call<T>(
    what: string,
    signal: AbortSignal,
    call: (service: AgentService, ctx: EventEmitter) => Promise<T>,
  ): Promise<T> {
    return this.#calls.call(what, CALL_MS, signal, ({ agent }, ctx) => call(agent.service, ctx));
  }
}

/** Consul answers 404, older versions 500, when it has no such entry: what was asked for is so already. */
function isUnknown(thrown: unknown): boolean {
  const answer = answerOf(thrown);
  return answer !== undefined && (answer.status === 404 || /unknown service/i.test(answer.text));
}
