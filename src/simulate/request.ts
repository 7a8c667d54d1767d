import type { Happening } from './agenda.ts';

/** Where a request is. */
export type RequestStage = 'held' | 'in-flight' | 'ended';

/** Where the work on a request is inside a replica. `left`: the proxy closed its connection. */
export type WorkStage = 'queued' | 'working' | 'awaiting-shared' | 'using-shared' | 'done' | 'left';

/** Who works on requests. */
export interface Worker {
  /** What was to happen to the work happens. */
  onDue(work: Work): void;
}

/** The work of one attempt of a request, inside the replica that it was sent to. What is to happen to it is its end. */
export class Work implements Happening {
  at = 0;
  order = 0;
  place = -1;
  stage: WorkStage = 'queued';
  /** Its client or the proxy is gone: what is begun is worked to its end, for nobody. */
  isAbandoned = false;
  readonly request: SimulatedRequest;
  readonly worker: Worker;

  constructor(request: SimulatedRequest, worker: Worker) {
    this.request = request;
    this.worker = worker;
  }

  happen(): void {
    this.worker.onDue(this);
  }
}

/** A request, from its client to its end. Times are the clock's ms. */
export class SimulatedRequest {
  readonly arrivedAt: number;
  /** Time that the app will take for it, alone, ms; and for what all replicas share. */
  readonly workMs: number;
  readonly sharedMs: number;
  /** It is answered with 500. */
  readonly fails: boolean;
  /** Which of the clients of a closed loop sent it; −1: none of them. */
  readonly client: number;
  stage: RequestStage = 'held';
  /** When it began to wait at the proxy; 0: it never did. */
  heldAt = 0;
  /** It waits for a start, which is not the service's time. */
  isCold = false;
  /** Since when the service is responsible for its time. */
  since = 0;
  /** It was sent while nothing else was in flight there. */
  isCalm = false;
  /** Times that it was sent. */
  attempts = 0;
  /** Where it was sent to; whoever sent it knows more of it. */
  endpoint: { readonly id: string } | undefined;
  /** Where it lies among those in flight there; owned by whoever keeps them. */
  place = -1;
  work: Work | undefined;

  constructor(arrivedAt: number, workMs: number, sharedMs: number, fails: boolean, client: number) {
    this.arrivedAt = arrivedAt;
    this.workMs = workMs;
    this.sharedMs = sharedMs;
    this.fails = fails;
    this.client = client;
    this.since = arrivedAt;
  }
}
