import { z } from 'zod';
import type { Http2Limits, ListenLimits, ListenSettings } from '../../model/settings.ts';
import { type Exactly, option, optional, options, required, section } from '../option/option.ts';
import { duration, flag, integer, parsed, size } from '../option/value-types.ts';
import { readHostPort } from './addresses.ts';
import { listenTcpSchema } from './listen-tcp.ts';
import { tlsSchema } from './listen-tls.ts';
import { listenerName } from './listener-name.ts';

/** `host:port`, where port 0 takes a free one. */
export function listenAddress() {
  return parsed('host:port', 'host:port, such as 0.0.0.0:8080 or [::]:8080', (input) => readHostPort(input, 0));
}

const timeouts = section(
  {
    handshakeMs: option(duration(), '10s', 'From the accept of a connection to the end of its TLS handshake.'),
    headMs: option(duration(), '10s', "From a request's first byte to the end of its head."),
    bodyMs: option(duration(), '30s', 'Longest pause while a request body arrives.'),
    keepAliveMs: option(duration(), '75s', 'How long an idle client connection is kept.'),
    sendMs: option(
      duration(),
      '60s',
      'Longest time that a client takes nothing of what is written to it, before it is cut off. ' +
        'An answer with nothing to send at the moment is not meant.',
    ),
  },
  'Time-outs on the side of the client.',
) satisfies Exactly<ListenSettings['timeouts']>;

const http2 = section(
  {
    streams: option(
      integer('streams', 1, 10_000),
      '100',
      'Requests of one connection at once. The client is told; what it asks beyond is refused, and not lost.',
    ),
    oddities: option(
      integer('points', 10),
      '1000',
      'Points for what honest clients do seldom, beyond which a connection is closed (ENHANCE_YOUR_CALM): 5 for a ' +
        'request that is taken back or malformed and for a change of settings, 1 for a PING and for each 100 bytes that ' +
        'make no request and no content. An answered request makes up for 1, and each second for a tenth of this.',
    ),
  },
  'What one connection of HTTP/2 may use.',
) satisfies Exactly<Http2Limits>;

const limits = section(
  {
    head: option(size(256, '256B'), '32KiB', 'Bytes of a request head; beyond it 431.'),
    fields: option(integer('fields', 1, 10_000), '100', 'Header fields of a request; beyond it 431.'),
    target: option(size(16, '16B'), '8KiB', 'Bytes of a request target; beyond it 414.'),
    chunkExtensions: option(size(), '16KiB', 'Bytes of chunk extensions in one request body; beyond it 400.'),
    trailers: option(
      size(2, '2B'),
      '16KiB',
      'Bytes of trailers behind one request body, which are 64 fields at most; beyond it 400.',
    ),
    requests: option(
      integer('requests', 0),
      '0',
      'Requests per connection; the last answer says `Connection: close`. 0 is no limit.',
    ),
    connections: option(
      integer('connections', 1, 10_000_000),
      '10000',
      'Client connections. Beyond it the one that has been idle for longest is closed; 503 where none is idle.',
    ),
    connectionsPerClient: option(
      integer('connections', 0),
      '0',
      'Connections of one client address (of IPv6, the network of its first 64 bits), trusted proxies not counted; ' +
        'beyond it 503. 0 is no limit.',
    ),
    http2,
    handshakes: option(
      integer('handshakes', 1, 1_000_000),
      '1000',
      'TLS handshakes that are under way at once. Beyond it the oldest is ended.',
    ),
  },
  'What clients may use.',
) satisfies Exactly<ListenLimits>;

/** `listen`. */
export const listenSchema = required(
  z
    .array(
      options({
        name: optional(listenerName(), 'Routes may be tied to it by this name (`on`).'),
        address: required(listenAddress(), 'Address and port to accept clients on; port 0 takes a free one.'),
        tls: tlsSchema,
        redirectToHttps: option(
          flag(),
          'false',
          'Whether requests are sent to the same address by https (308), at the port of the first listener with `tls`; ' +
            'what is below `/.well-known/acme-challenge/` is served as elsewhere.',
        ),
        timeouts,
        limits,
        proxyProtocol: option(
          flag(),
          'false',
          'Whether connections begin with a PROXY protocol header (version 1 or 2), which names the client. ' +
            'Only `trustedProxies` may connect then.',
        ),
        http2: optional(
          flag(),
          'Whether HTTP/2 is spoken. On a listener without TLS the client has to know (prior knowledge, as ' +
            '`curl --http2-prior-knowledge` does); both versions come to the same port.',
          'true with TLS, else false',
        ),
        tcp: listenTcpSchema,
      }) satisfies Exactly<Required<ListenSettings>>,
    )
    .min(1, 'expected at least one address'),
  'Where clients connect.',
);
