import type { ServiceSettings } from '../../model/settings.ts';

/** What a group knows of one of its services. */
export interface Member {
  name: string;
  /** Requests wait for it, or an operator does. */
  isAsked: boolean;
  /** Something is held or in flight. */
  isBusy: boolean;
  /** Any endpoint may get requests. */
  isUp: boolean;
  /** Anything of it runs, also what only ends. */
  isThere: boolean;
  /** Nothing leads to it from outside: it is awake for the others alone. */
  follows: boolean;
  /** End of its last activity, or when it became ready, the clock's ms. */
  idleSince: number;
  /** How long it is kept when it is idle, ms. */
  keepMs: number | 'never';
}

/** `left`: those that were still up when the group was put to sleep, and end on their own. */
export type GroupState = { state: 'asleep'; left: ReadonlySet<string> } | { state: 'awake' };

/** A group wakes with the first that is asked for, or was started by somebody; it sleeps when the last one is idle. */
export function nextGroupState(before: GroupState, members: readonly Member[], now: number): GroupState {
  if (members.some(({ isAsked, isBusy }) => isAsked || isBusy)) return { state: 'awake' };
  const up = members.filter(({ isUp }) => isUp);
  if (before.state === 'awake') {
    return up.every((member) => isIdle(member, now)) ? { state: 'asleep', left: namesOf(up) } : before;
  }
  return up.every(({ name }) => before.left.has(name)) ? { state: 'asleep', left: namesOf(up) } : { state: 'awake' };
}

function isIdle({ follows, keepMs, idleSince }: Member, now: number): boolean {
  return follows || (keepMs !== 'never' && now - idleSince >= keepMs);
}

function namesOf(members: readonly Member[]): ReadonlySet<string> {
  return new Set(members.map(({ name }) => name));
}

/** What a service has to go by, of the group that it is in. */
interface GroupView {
  /** Fewest replicas of each. */
  min: 0 | 1;
  /** Whether all that have to be ready before it are. */
  mayStart: boolean;
  /** Whether one that needs it is still there. */
  isNeeded: boolean;
}

/** One service, as its group sees it. */
interface Part {
  member(): Member;
  look(): void;
}

interface Group {
  settings: readonly ServiceSettings[];
  state: GroupState;
  /** How it was when its services were looked at last. */
  seen: string;
}

/** Services that start and sleep together, each after those that it names. */
export class Groups {
  readonly #partOf: (service: string) => Part | undefined;
  readonly #now: () => number;
  #byService = new Map<string, Group>();

  /** @param now the clock's ms */
  constructor(partOf: (service: string) => Part | undefined, now: () => number) {
    this.#partOf = partOf;
    this.#now = now;
  }

  configure(services: readonly ServiceSettings[]): void {
    const before = this.#byService;
    const groups = Map.groupBy(
      services.filter(({ group }) => group !== undefined),
      ({ group }) => group,
    );
    this.#byService = new Map();
    for (const settings of groups.values()) {
      const known = settings.map(({ name }) => before.get(name)).find((group) => group !== undefined);
      const group: Group = { settings, state: known?.state ?? { state: 'asleep', left: new Set() }, seen: '' };
      for (const { name } of settings) this.#byService.set(name, group);
    }
  }

  /** Undefined where the service is in none. */
  viewOf(service: string): GroupView | undefined {
    const group = this.#byService.get(service);
    if (group === undefined) return undefined;
    const is = (what: 'isUp' | 'isThere') => (name: string) => this.#partOf(name)?.member()[what] ?? false;
    const own = group.settings.find(({ name }) => name === service);
    const needing = group.settings.filter(({ after }) => after?.includes(service));
    return {
      min: group.state.state === 'awake' ? 1 : 0,
      mayStart: own?.after?.every(is('isUp')) ?? true,
      isNeeded: needing.some(({ name }) => is('isThere')(name)),
    };
  }

  /** A service was looked at: where that changes anything for the others, they are looked at too. */
  looked(service: string): void {
    const group = this.#byService.get(service);
    if (group === undefined) return;
    const parts = group.settings.flatMap(({ name }) => this.#partOf(name) ?? []);
    const members = parts.map((part) => part.member());
    group.state = nextGroupState(group.state, members, this.#now());
    const seen = [group.state.state, ...members.map(({ name, isUp, isThere }) => `${name} ${isUp} ${isThere}`)].join();
    if (seen === group.seen) return;
    group.seen = seen;
    for (const part of parts) part.look();
  }
}
