import type { Draft } from '../draft.ts';
import type { Enabled } from '../own-labels.ts';

/** One label, tag or option of another program, and what becomes of it: documents are checked against these. */
export interface DialectRow {
  /** As it is written there. */
  written: string;
  /** `refused`: the service is kept out, since it would let in more than was meant. `left out`: it is said, and no more. */
  fate: 'understood' | 'left out' | 'refused';
  /** What it becomes, or why it does not. */
  becomes: string;
}

/** The labels of another program, read as far as they mean something here. */
export interface Dialect {
  /** As `declare.dialects` names it. */
  readonly name: string;
  readonly rows: readonly DialectRow[];
  owns(label: string): boolean;
  /** The share of requests that a tag of an instance asks for, above 0 and up to 1; undefined: none. */
  shareOf?(tag: string): number | undefined;
  /** Adds what the labels say to the draft; what is not understood is said there. Own labels were read before. */
  read(labels: Readonly<Record<string, string>>, draft: Draft): Enabled;
}
