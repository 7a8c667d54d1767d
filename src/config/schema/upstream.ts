import { z } from 'zod';
import type { UpstreamSettings, UpstreamTlsSettings } from '../../model/upstream.ts';
import { abouts, type Exactly, option, optional, options, section, withoutKeys } from '../option/option.ts';
import { shorthands, textOrSection } from '../option/shorthand.ts';
import { choice, flag, parsed, path } from '../option/value-types.ts';
import { isHostName } from './addresses.ts';

const files = options({
  ca: optional(
    path('a file'),
    'A PEM file with the authorities whose certificates replicas may have.',
    'those that the system trusts',
  ),
  serverName: optional(
    parsed('name', 'a host name', (text) => (isHostName(text) ? { value: text.toLowerCase() } : undefined)),
    'Name that is asked for (SNI), and that the certificate of a replica has to be for.',
    "the endpoint's own name, or its address",
  ),
  verify: option(
    flag(),
    'true',
    'Whether certificates are verified. Without that anybody on the way can be the replica.',
  ),
  cert: optional(path('a file'), 'A PEM file with the certificate that replicas are shown; the key may be in it.'),
  key: optional(path('a file'), 'A PEM file with its key, not encrypted.', 'the one in `cert`'),
}) satisfies Exactly<UpstreamTlsSettings>;

const tlsWritten = textOrSection(
  files,
  'verify',
  'true',
  'TLS to replicas: `true`, or with what else is to be said of it.',
);

/** `false` takes back what `defaults` say. */
const tls = z.unknown().transform((input, context): UpstreamTlsSettings | undefined => {
  if (input === 'false') return undefined;
  const result = tlsWritten.safeParse(input);
  if (result.success) return result.data;
  for (const issue of result.error.issues) context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
  return z.NEVER;
});
shorthands.set(tls, { section: files, key: 'verify' });
abouts.add(tls, { about: 'TLS to replicas.', shorthand: 'true' });

const OF_TLS = 'stands in upstream.tls';
/** Keys that people try beside `tls`, and where they stand. */
const INSTEAD = { serverName: OF_TLS, ca: OF_TLS, cert: OF_TLS, key: OF_TLS, verify: OF_TLS };

const written = section(
  {
    protocol: option(
      choice('http1', 'http2'),
      'http1',
      'What replicas speak. `http2`: by ALPN with `tls`, else in clear text from the first byte on (prior knowledge); ' +
        'gRPC needs it.',
    ),
    tls: optional(tls, 'TLS to replicas: `true`, or with what else is to be said of it.', 'clear text'),
    proxyProtocol: option(
      choice('false', 'v1', 'v2'),
      'false',
      'Version of the PROXY protocol header that connections begin with: it tells the replica who its client is. A ' +
        'connection then serves one request.',
    ),
  },
  'How replicas are spoken to.',
) satisfies Exactly<UpstreamSettings>;

/** `services.<name>.upstream`. */
export const upstreamSchema = withoutKeys(written, INSTEAD);
