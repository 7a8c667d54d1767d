import type { Logger } from '../../model/observe.ts';
import type { TraceSettings, Traces } from '../../model/traces.ts';
import type { Clock } from '../../util/clock.ts';
import { TraceQueue } from './trace-queue.ts';

/** Traces that go to a collector. */
interface OpenTraces extends Traces {
  /** Posts what waits, for 1.5 s at most. */
  close(): Promise<void>;
}

/** Loads what traces need, and opens them. The collector need not be there yet. */
export async function openTraces(settings: TraceSettings, clock: Clock, logger: Logger): Promise<OpenTraces> {
  const { otlpPoster } = await import('./otlp.ts');
  const { sample, endpoint } = settings;
  return new TraceQueue({ sample, endpoint, poster: otlpPoster(settings), clock, logger });
}
