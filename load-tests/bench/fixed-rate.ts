import { createHistogram } from 'node:perf_hooks';
import autocannon from 'autocannon';
import type { Sample } from './sample.ts';

/** autocannon's load: how many connections, how long, and at which rate over all connections, requests/s. */
interface FixedRate {
  connections: number;
  seconds: number;
  /** Undefined: as fast as answers come. */
  rate: number | undefined;
}

/**
 * autocannon at a fixed rate. Each of its connections sends its share of a second's requests one after the other and
 * pauses till the next second, so the load comes in bursts. Its own percentiles are whole milliseconds; here they are
 * taken from the times it reports, with coordinated omission corrected: an answer that took longer than a connection's
 * interval stands for those that would have been asked for meanwhile, too.
 */
export async function runAutocannon(url: string, { connections, seconds, rate }: FixedRate): Promise<Sample> {
  const intervalMs = rate === undefined ? Number.POSITIVE_INFINITY : (1000 * connections) / rate;
  const micros = createHistogram();
  const options = { url, connections, duration: seconds, ...(rate === undefined ? {} : { overallRate: rate }) };
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const load = autocannon(options, (error, done) => (error ? reject(error) : resolve(done)));
    load.on('response', (_client, _status, _bytes, ms) => {
      for (let late = ms; late > 0; late -= intervalMs) micros.record(Math.max(1, Math.round(late * 1000)));
    });
  });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50: micros.percentile(50) / 1000,
    p99: micros.percentile(99) / 1000,
    failed: result.errors + result.timeouts + result.non2xx,
  };
}
