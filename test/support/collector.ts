import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Value {
  stringValue?: string;
  intValue?: number;
  boolValue?: boolean;
}

/** A span as it came, with the attributes of its process beside its own. */
export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  /** 2 is an error. */
  status: { code: number; message?: string };
  events: { name: string }[];
  links: { traceId: string; spanId: string }[];
  about: Record<string, string | number | boolean | undefined>;
  process: Record<string, string | number | boolean | undefined>;
}

/** Takes spans by OTLP over HTTP, as JSON. */
export interface Collector {
  /** To be configured as `traces.endpoint`. */
  readonly endpoint: string;
  readonly spans: CollectedSpan[];
  /** Heads of the posts. */
  readonly posts: IncomingHttpHeaders[];
  named(name: string): CollectedSpan[];
  close(): void;
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const posts: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    posts.push(request.headers);
    if (request.url !== '/v1/traces') throw new Error(`a post to ${request.url}`);
    for (const { resource, scopeSpans } of JSON.parse(await text(request)).resourceSpans) {
      for (const { attributes, ...span } of scopeSpans.flatMap((scope: { spans: unknown[] }) => scope.spans)) {
        spans.push({ ...span, about: plain(attributes), process: plain(resource.attributes) });
      }
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    posts,
    named: (name) => spans.filter((span) => span.name === name),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function plain(attributes: { key: string; value: Value }[]): CollectedSpan['about'] {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.boolValue]),
  );
}
