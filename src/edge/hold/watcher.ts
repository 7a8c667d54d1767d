/** Whoever watches a service start: it neither wakes the service nor counts as its activity. */
export interface Watcher {
  /** The service's state changed. */
  update(): void;
  /** There is nothing to wait for any more. */
  fail(): void;
  /** The edge closes. */
  close(): void;
}
