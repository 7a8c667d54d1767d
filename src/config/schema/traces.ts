import { z } from 'zod';
import type { TraceSettings } from '../../model/traces.ts';
import { type Exactly, mapping, option, optional, section, type Unset } from '../option/option.ts';
import { flag, parsed, share, text } from '../option/value-types.ts';
import { readCollector } from './addresses.ts';
import { headerNameFault } from './rule-readers.ts';

const headerName = z.string().check((context) => {
  const message = headerNameFault(context.value);
  if (message !== undefined) context.issues.push({ code: 'custom', input: context.value, message });
});

/** `traces`. */
export const tracesSchema = section(
  {
    endpoint: optional(
      parsed('URL', 'a URL such as http://127.0.0.1:4318', readCollector),
      'Where spans are posted to (OTLP over HTTP, JSON): a collector, or what takes OTLP itself. Without a path ' +
        '`/v1/traces` is meant. Without this nothing is traced.',
      'none',
    ),
    sample: option(
      share(),
      '10%',
      'How many of the requests are traced where nobody in front has decided: what a trusted peer says in `traceparent` ' +
        'is followed. Starts are always traced.',
    ),
    headers: mapping(
      headerName,
      text({ secret: true, pattern: /^[\t -~]+$/, expected: 'printable ASCII' }),
      'Fields that go with every post, such as credentials.',
    ),
    service: option(
      text({ pattern: /^[ -~]{1,128}$/, expected: 'a name of 128 characters at most' }),
      'pilotlight',
      'The name that the spans are filed under (`service.name`).',
    ),
    query: option(flag(), 'false', 'Whether queries of requests are told: they may hold secrets.'),
  },
  'OpenTelemetry traces: see [tracing](tracing.md).',
) satisfies Exactly<Unset<TraceSettings, 'endpoint'>>;
