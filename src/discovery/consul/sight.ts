import type { Clock } from '../../util/clock.ts';
import type { AskAccess, Denied } from './access.ts';
import { oneLine } from './connection.ts';
import { type Instance, identityOf } from './entries.ts';
import { type ConsulTarget, titleOf } from './target.ts';

/** How soon to look again while something is known to be out of sight, ms: no index moves when a policy does. */
const BLIND_LOOK_MS = 10_000;
/** … and while a list may have been made with the rights of before, ms. */
const DOUBT_LOOK_MS = 20;
/** Agents remember policies for 30 s by default: younger, what they say of the token's rights may be of before, ms. */
const OLD_POLICY_MS = 60_000;
/** Most nodes that a message names. */
const NAMED = 3;

/** What a list leaves out because the token may not read it, or may not have been able to. */
export interface Unseen {
  /** Of those that were known: out of sight, or in doubt. */
  kept: readonly Instance[];
  /** Nothing is listed and nothing was known: it says nothing of whether there is anything. */
  isBlind: boolean;
  /** How soon to look again, ms; undefined when nothing is out of sight or in doubt. */
  lookAgainIn: number | undefined;
  /** For the operator: what the token may not read; undefined when that is nothing, or nothing is known of it. */
  denial: string | undefined;
}

/** Nothing. */
export const allSeen: Unseen = { kept: [], isBlind: false, lookAgainIn: undefined, denial: undefined };

interface Listed {
  /** What the list holds. */
  instances: readonly Instance[];
  /** Whether Consul says itself that it left something out. */
  filtered: boolean;
}

/** In place of an identity: whatever there is, where nothing was known. */
const ANYTHING = '';

/**
 * Tells instances that went from those that are merely out of sight: Consul's lists leave out what the token may not
 * read instead of refusing. Since 1.11 an answer says that something was left out, though not what; so whoever went
 * is asked after: whether the token may read the service, and the node. A list is made with the rights of the moment
 * when it was asked for, up to five minutes ago: it is believed when the token had them before it and after it.
 */
export class ConsulSight {
  readonly #target: ConsulTarget;
  readonly #clock: Clock;
  readonly #askAccess: AskAccess;
  #filteredSince: number | undefined;
  /** Identities that went although the token might read them, as of the look before. */
  #vouched: ReadonlySet<string> = new Set();

  constructor(target: ConsulTarget, clock: Clock, askAccess: AskAccess) {
    this.#target = target;
    this.#clock = clock;
    this.#askAccess = askAccess;
  }

  /**
   * What a list does not show.
   * @param known the instances before, those kept from an earlier look included; undefined when nothing is known yet
   * @throws DISCOVERY_UNREACHABLE, DISCOVERY_FAILED, CANCELLED
   */
  async unseen(
    { instances, filtered }: Listed,
    known: readonly Instance[] | undefined,
    signal: AbortSignal,
  ): Promise<Unseen> {
    const now = this.#clock.now();
    const vouched = this.#vouched;
    this.#vouched = new Set();
    this.#filteredSince = filtered ? (this.#filteredSince ?? now) : undefined;
    const isFirst = known === undefined && instances.length === 0;
    const listed = new Set(instances.map(identityOf));
    const gone = (known ?? []).filter((instance) => !listed.has(identityOf(instance)));
    if (gone.length === 0 && !isFirst) return filtered ? { ...allSeen, denial: this.#denial(undefined, 0) } : allSeen;
    const nodes = isFirst ? [''] : [...new Set(gone.map(({ node }) => node))];
    const access = await this.#askAccess(this.#target.service, nodes, signal);
    if (access === 'open') return allSeen;
    if (isFirst) return this.#firstLook(access, filtered, vouched);
    const isNews = this.#filteredSince !== undefined && now - this.#filteredSince < OLD_POLICY_MS;
    const mayRead = ({ node }: Instance) =>
      access === undefined || isNews ? !filtered : !access.service && !access.nodes.has(node);
    const allowed = gone.filter(mayRead);
    const hidden = gone.filter((instance) => !mayRead(instance));
    if (access !== undefined) this.#vouched = new Set(allowed.map(identityOf));
    const doubted = access === undefined ? [] : allowed.filter((instance) => !vouched.has(identityOf(instance)));
    return {
      kept: [...hidden, ...doubted],
      isBlind: false,
      lookAgainIn: doubted.length > 0 ? DOUBT_LOOK_MS : hidden.length > 0 ? BLIND_LOOK_MS : undefined,
      denial: hidden.length > 0 || filtered ? this.#denial(access, hidden.length) : undefined,
    };
  }

  /** Contact was lost: what was found before it vouches for nothing after it. */
  interrupt(): void {
    this.#vouched = new Set();
  }

  #firstLook(access: Denied | undefined, filtered: boolean, vouched: ReadonlySet<string>): Unseen {
    if (filtered || access?.service === true) {
      const denial = `${this.#what(access)}: nothing is known of it`;
      return { kept: [], isBlind: true, lookAgainIn: BLIND_LOOK_MS, denial };
    }
    if (access === undefined) return allSeen;
    this.#vouched = new Set([ANYTHING]);
    if (!vouched.has(ANYTHING)) return { ...allSeen, isBlind: true, lookAgainIn: DOUBT_LOOK_MS };
    if (!access.nodes.has('')) return allSeen;
    const service = titleOf(this.#target);
    return {
      ...allSeen,
      denial: `no instance is listed, and the token may not read every node that ${service} may be on`,
    };
  }

  #denial(denied: Denied | undefined, kept: number): string {
    if (kept === 0) return `${this.#what(denied)}: what it may not read is not used`;
    return `${this.#what(denied)}: ${kept === 1 ? 'an instance that was known stays' : `${kept} instances that were known stay`} in use`;
  }

  #what(denied: Denied | undefined): string {
    const service = `the token may not read ${titleOf(this.#target)}`;
    if (denied?.service) return service;
    const nodes = [...(denied?.nodes ?? [])].filter((node) => node !== '');
    if (nodes.length === 0) return `${service} in full`;
    const more = nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : '';
    return oneLine(`${service} on node ${nodes.slice(0, NAMED).join(', ')}${more}`);
  }
}
