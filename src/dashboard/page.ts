import type { Store } from './store.ts';

/** One page: made when its address is opened, and shown until another is. */
export interface Page {
  readonly element: HTMLElement;
  readonly title: string;
  /** Once a frame at most, after anything changed. */
  update(): void;
  /** The query of the address changed, and nothing else of it. */
  requery?(query: URLSearchParams): void;
  /** It is shown no more. */
  close?(): void;
}

/** What pages are given. */
export interface PageContext {
  store: Store;
  /** Something else than the store changed. */
  changed(): void;
}
