import type { z } from 'zod';
import type { Declaration } from '../../model/declarations.ts';
import { didYouMean } from '../../util/suggest.ts';
import { shorthands } from '../option/shorthand.ts';
import { child, core, isForOperators, keysOf, valueTypeOf } from '../option/walk.ts';
import { formatPath } from '../read/path.ts';
import { serviceSchema } from '../schema/service.ts';

/** Options of a service as they come together, without prototypes: keys are a stranger's. */
export interface Tree {
  [key: string]: Branch;
}
export type Branch = string | Branch[] | Tree;

/** Longest way to an option, in keys. */
const MOST_KEYS = 12;
/** Most items of a list, routes among them. */
const MOST_ITEMS = 100;

/** What matters of the declaration: how its labels are written, and what is done with the service. */
type Of = Partial<Pick<Declaration, 'word' | 'meta' | 'binding'>>;

/** A service as labels describe it, before any of it is checked as the file is. */
export class Draft {
  /** Name of the service; undefined: the one that the source gave it. */
  name: string | undefined;
  /** What names its port; undefined: nothing does. */
  port: { label: string; value: string } | undefined;
  readonly options: Tree = Object.create(null);
  /** Which label said what, by the paths of options. */
  readonly labels = new Map<string, string>();
  /** Why it cannot be used, a line each. */
  readonly problems: string[] = [];
  /** What was left out, a line each. */
  readonly remarks: string[] = [];
  readonly #allowed: readonly string[] | undefined;
  readonly #of: Of;

  /** @param allowed paths of options that may be declared; undefined: all */
  constructor(allowed: readonly string[] | undefined, of: Of = {}) {
    this.#allowed = allowed;
    this.#of = of;
  }

  /** How many routes it has. */
  get routes(): number {
    const { routes } = this.options;
    return Array.isArray(routes) ? routes.length : 0;
  }

  refuse(label: string, message: string): void {
    this.problems.push(`${this.called(label)}: ${message}`);
  }

  remark(label: string, message: string): void {
    this.remarks.push(`${this.called(label)}: ${message}`);
  }

  /** Whether it is started and stopped here. */
  get isRun(): boolean {
    return this.#of.binding?.['run'] !== undefined;
  }

  /** A label as it is found where it stands: `label pilotlight.port`, `tag pilotlight.port`, `meta pilotlight_port`. */
  called(label: string): string {
    const { word = 'label', meta } = this.#of;
    const key = meta !== undefined && Object.hasOwn(meta, label) ? meta[label] : undefined;
    return key === undefined ? `${word} ${label}` : `meta ${key}`;
  }

  /**
   * Sets an option as a label says; what may not be set, or is not there, is said.
   * @param path keys and places of lists
   * @param isFree whether it needs no leave of `declare.allow.options`
   */
  set(label: string, path: readonly (string | number)[], value: Branch, isFree = false): void {
    const schema = this.#schemaAt(label, path);
    if (schema === undefined) return;
    const keys = path.filter((step) => typeof step === 'string');
    if (!isFree && !this.#isAllowed(keys)) {
      this.refuse(label, `expected an option that declare.allow.options names; ${keys.join('.')} is none of them`);
      return;
    }
    if (value === '' && !valueTypeOf(schema)?.keepsEmpty) {
      this.refuse(label, 'expected a value, found nothing');
      return;
    }
    this.#put(label, path, typeof value === 'string' && takesList(schema) ? listOf(value) : value);
  }

  /** As `set`, unless another label has said it. */
  setOnce(label: string, path: readonly (string | number)[], value: Branch, isFree = false): void {
    if (this.labelAt(formatPath(path)) === undefined) this.set(label, path, value, isFree);
  }

  /** As `set`, also where another label has said something else. */
  replace(label: string, path: readonly (string | number)[], value: Branch): void {
    let at: Branch | undefined = this.options;
    for (const step of path.slice(0, -1)) at = (at as Record<string | number, Branch> | undefined)?.[step];
    if (typeof at === 'object') delete (at as Record<string | number, Branch>)[path.at(-1) as string];
    this.set(label, path, value);
  }

  /** Adds an item to a list, as `set` does. */
  add(label: string, path: readonly (string | number)[], item: string): void {
    let at: Branch | undefined = this.options;
    for (const step of path) at = (at as Record<string | number, Branch> | undefined)?.[step];
    this.set(label, [...path, Array.isArray(at) ? at.length : 0], item);
  }

  /** The label that said what is at a path, or what is nearest to it. */
  labelAt(path: string): string | undefined {
    const exact = this.labels.get(path);
    if (exact !== undefined) return exact;
    for (const [other, label] of this.labels) {
      if (isBelow(path, other) || isBelow(other, path)) return label;
    }
    return undefined;
  }

  #schemaAt(label: string, path: readonly (string | number)[]): z.core.$ZodType | undefined {
    if (path.length > MOST_KEYS) {
      this.refuse(label, `expected at most ${MOST_KEYS} keys`);
      return undefined;
    }
    let at: z.core.$ZodType = serviceSchema;
    for (const step of path) {
      const next = child(at, step);
      if (next === undefined) {
        this.refuse(label, `unknown option "${step}"${didYouMean(String(step), keysOf(at))}`);
        return undefined;
      }
      if (isForOperators(next)) {
        this.refuse(label, 'expected an option that may be declared; this one may only be set in the file');
        return undefined;
      }
      at = next;
    }
    return at;
  }

  #isAllowed(keys: readonly string[]): boolean {
    const path = keys.join('.');
    return this.#allowed?.some((allowed) => path === allowed || path.startsWith(`${allowed}.`)) ?? true;
  }

  #put(label: string, path: readonly (string | number)[], value: Branch): void {
    let at: Tree | Branch[] = this.options;
    for (const [index, step] of path.entries()) {
      if (typeof step === 'number' && step >= MOST_ITEMS) {
        this.refuse(label, `expected at most ${MOST_ITEMS} items`);
        return;
      }
      const inside = at as Record<string | number, Branch | undefined>;
      if (index === path.length - 1) {
        if (inside[step] !== undefined)
          this.refuse(label, `is set already, by ${this.called(this.labelAt(formatPath(path)) ?? '')}`);
        else inside[step] = value;
        this.labels.set(formatPath(path), label);
        return;
      }
      inside[step] ??= typeof path[index + 1] === 'number' ? [] : Object.create(null);
      const next = inside[step];
      if (typeof next === 'string') {
        const whole = this.labels.get(formatPath(path.slice(0, index + 1)));
        this.refuse(label, `${this.called(whole ?? '')} sets the whole section already`);
        return;
      }
      at = next as Tree | Branch[];
    }
  }
}

function isBelow(path: string, above: string): boolean {
  return path.startsWith(above) && /^[.[]/.test(path.slice(above.length));
}

/** Whether commas in a label divide the items of a list. */
function takesList(schema: z.core.$ZodType): boolean {
  const json = valueTypeOf(schema)?.json ?? shorthands.get(core(schema))?.json;
  return core(schema)._zod.def.type === 'array' || [json?.['type']].flat().includes('array');
}

function listOf(text: string): Branch {
  const items = text.split(',').map((item) => item.trim());
  return items.slice(0, MOST_ITEMS + 1);
}
