/** What a service catalogue lists, and what of it may have changed. */
export interface CatalogNews {
  /** Every service by name, with the tags that any instance of it has. */
  services: ReadonlyMap<string, readonly string[]>;
  /**
   * Services whose instances may be others than before, some of them perhaps listed no more. With the first news all;
   * where the catalogue does not tell which service it was, all of them little by little.
   */
  changed: ReadonlySet<string>;
}

/** An instance of a service, as it is listed. */
export interface ListedInstance {
  /** Unique on its node. */
  id: string;
  node: string;
  tags: readonly string[];
  meta: Readonly<Record<string, string>>;
  /** Its place in the order in which entries were made, and in that in which they were changed last. */
  madeAt: number;
  changedAt: number;
  /** Whether no check of it or of its node is critical, and neither is in maintenance. */
  isUsable: boolean;
}

/** Follows a whole service catalogue by one watch, however many services and followers there are. */
export interface CatalogFeed {
  /**
   * Calls with what is listed once that is known, and whenever something may have changed, until aborted. Says nothing
   * while the catalogue cannot be asked: what was said last holds.
   */
  follow(take: (news: CatalogNews) => void, signal: AbortSignal): void;
  /**
   * The instances of one service as they are now, but for those that Pilotlight registered; few services are asked for
   * at once, the others wait.
   * @throws DISCOVERY_UNREACHABLE, DISCOVERY_FAILED, DISCOVERY_DENIED (none is listed, and it may not be read), CANCELLED
   */
  instances(service: string, signal: AbortSignal): Promise<ListedInstance[]>;
}
