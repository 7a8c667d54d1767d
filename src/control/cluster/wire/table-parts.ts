import { PilotlightError } from '../../../model/errors.ts';
import type { ControlMessage } from '../../../model/link.ts';
import { type Packed, packText } from './frame.ts';

export type TableMessage = Extract<ControlMessage, { type: 'table' }>;

/** About so long is a piece, characters of JSON: it is made, and read, within some milliseconds. */
const PART_LENGTH = 256 * 1024;

/** What a table is long by. */
const LISTS = ['routes', 'services', 'states'] as const;
type List = (typeof LISTS)[number];

interface Part {
  packed: Packed;
  isLast: boolean;
}

const known = new WeakMap<TableMessage, TableParts>();

/** The pieces of a table, the same ones for all who get it. */
export function partsOf(message: TableMessage): TableParts {
  const parts = known.get(message) ?? new TableParts(message);
  known.set(message, parts);
  return parts;
}

/** A table in pieces, each of which is made when it is first asked for: a large one takes no long turn. */
export class TableParts {
  readonly #made: Part[] = [];
  readonly #items: Iterator<[List, unknown], undefined>;
  /** What is not in lists; goes with the first piece. */
  #head: string | undefined;

  constructor({ states, table, ...rest }: TableMessage) {
    const { routes, services, ...others } = table;
    this.#head = JSON.stringify({ ...rest, table: others });
    this.#items = itemsOf({ routes, services, states });
  }

  /** @param number from 0; no further than the last @throws CLUSTER_PROTOCOL where one item is longer than may pass */
  at(number: number): Part {
    while (this.#made.length <= number) this.#made.push(this.#make());
    return this.#made[number] as Part;
  }

  #make(): Part {
    const lists: Record<List, string[]> = { routes: [], services: [], states: [] };
    let length = 0;
    let isLast = false;
    while (length < PART_LENGTH && !isLast) {
      const { value } = this.#items.next();
      if (value === undefined) isLast = true;
      else {
        const text = JSON.stringify(value[1]);
        lists[value[0]].push(text);
        length += text.length;
      }
    }
    const fields = LISTS.map((list) => `"${list}":[${lists[list].join(',')}]`);
    if (this.#head !== undefined) fields.push(`"head":${this.#head}`);
    this.#head = undefined;
    return { packed: packText(`{${fields.join(',')},"isLast":${isLast}}`), isLast };
  }
}

function* itemsOf(lists: Record<List, readonly unknown[]>): Generator<[List, unknown], undefined> {
  for (const list of LISTS) for (const item of lists[list]) yield [list, item];
}

type Head = Omit<TableMessage, 'states' | 'table'> & { table: Omit<TableMessage['table'], 'routes' | 'services'> };
type Lists = Pick<TableMessage['table'], 'routes' | 'services'> & Pick<TableMessage, 'states'>;

/** Puts a table together from its pieces: nobody sees a part of it. */
export class TableAssembly {
  #head: Head | undefined;
  #lists: Lists = { routes: [], services: [], states: [] };

  /** @returns the table with its last piece @throws CLUSTER_PROTOCOL where it has no beginning */
  add(part: unknown): TableMessage | undefined {
    const { head, isLast, ...lists } = part as Lists & { head?: Head; isLast: boolean };
    // The table before that was not sent to its end: a later one has taken its place.
    if (head !== undefined) this.#begin(head);
    if (this.#head === undefined) throw new PilotlightError('CLUSTER_PROTOCOL', 'a piece of no table');
    for (const list of LISTS) for (const item of lists[list]) (this.#lists[list] as unknown[]).push(item);
    if (!isLast) return undefined;
    const { table, ...rest } = this.#head;
    const { states, ...long } = this.#lists;
    this.#begin(undefined);
    return { ...rest, table: { ...table, ...long }, states };
  }

  #begin(head: Head | undefined): void {
    this.#head = head;
    this.#lists = { routes: [], services: [], states: [] };
  }
}
