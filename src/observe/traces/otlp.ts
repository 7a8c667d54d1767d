// The packages are loaded with this file: 200 ms and 20 MB that only who wants traces has to spend.
import { hostname } from 'node:os';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { TracedRequest, TracedStart, TraceSettings } from '../../model/traces.ts';
import { requestSpans } from './request-spans.ts';
import { readable } from './spans.ts';
import { startSpan } from './start-span.ts';

/** A post and its repetitions take no longer than this, ms. */
const POST_MS = 5000;

/** What waits to be posted. */
export type Traced = { request: TracedRequest } | { start: TracedStart };

/** Posts spans to the collector. */
export interface Poster {
  /** Rejects where the collector did not take them. */
  post(traced: readonly Traced[]): Promise<void>;
  close(): Promise<void>;
}

/** A poster of OTLP over HTTP, as JSON. */
export function otlpPoster({ endpoint, headers, service, query }: TraceSettings): Poster {
  const exporter = new OTLPTraceExporter({ url: endpoint, headers, timeoutMillis: POST_MS, concurrencyLimit: 1 });
  const resource = resourceFromAttributes({
    'service.name': service,
    'host.name': hostname(),
    'process.pid': process.pid,
  });
  const spansOf = (traced: Traced) =>
    'request' in traced ? requestSpans(traced.request, query) : [startSpan(traced.start)];
  return {
    post: (traced) =>
      new Promise((resolve, reject) => {
        const spans = traced.flatMap(spansOf).map((span) => readable(span, resource));
        exporter.export(spans, ({ code, error }) => {
          // 0 is success (ExportResultCode).
          if (code === 0) resolve();
          else reject(error ?? new Error('no reason was given'));
        });
      }),
    close: () => exporter.shutdown(),
  };
}
