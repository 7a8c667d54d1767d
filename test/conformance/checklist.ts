import type { LineId } from './harness/case.ts';

/** One thing that HTTP asks of a gateway, or that went wrong in another product. */
export interface ChecklistLine {
  id: LineId;
  what: string;
  /** Why there is nothing to test. */
  none?: string;
}

/** What RFC 9110 and RFC 9112 ask of a gateway. Every line has a test, or says why it has none. */
export const checklist: Record<string, ChecklistLine[]> = {
  Framing: [
    { id: 1, what: 'Transfer-Encoding together with Content-Length: 400, closed (RFC 9112 §6.1, §6.3)' },
    { id: 2, what: 'Several Content-Lengths: 400 where they differ, one where they do not (RFC 9112 §6.3)' },
    { id: 3, what: 'Content-Length is digits and nothing else; the number is written anew (RFC 9110 §8.6)' },
    { id: 4, what: 'A request whose last coding is not chunked: refused, closed (RFC 9112 §6.3)' },
    { id: 5, what: 'An unknown transfer coding: 501 (RFC 9112 §6.1)' },
    { id: 6, what: 'chunked twice: 400 (RFC 9112 §6.1)' },
    { id: 7, what: 'Transfer-Encoding in HTTP/1.0 is faulty framing (RFC 9112 §6.1)' },
    { id: 8, what: 'An obfuscated Transfer-Encoding is never passed on as it came' },
    { id: 9, what: 'A chunk size is hexadecimal digits and nothing else (RFC 9112 §7.1)' },
    { id: 10, what: 'Chunk extensions are checked, bounded and dropped (RFC 9112 §7.1.1)' },
    { id: 11, what: 'The data of a chunk is followed by exactly CRLF (RFC 9112 §7.1)' },
    { id: 12, what: 'Trailers never become fields; those that may not be trailers are dropped (RFC 9110 §6.5.1)' },
    { id: 13, what: 'Without Content-Length and Transfer-Encoding a request has no body (RFC 9112 §6.3)' },
    { id: 14, what: 'Without both a response lasts until its connection ends (RFC 9112 §6.3)' },
    { id: 15, what: 'A response with both: chunked counts, Content-Length is dropped (RFC 9112 §6.3)' },
    { id: 16, what: 'A response with invalid framing: 502, its connection is closed (RFC 9112 §6.3)' },
    { id: 17, what: 'The client can see that a response is not whole (RFC 9112 §8)' },
    { id: 18, what: 'Answers to HEAD, and 1xx, 204 and 304, have no body whatever they say (RFC 9112 §6.3)' },
    { id: 19, what: 'An answer to CONNECT has no framing fields: CONNECT is refused (RFC 9110 §9.3.6)' },
  ],
  Syntax: [
    { id: 20, what: 'A bare CR is refused (RFC 9112 §2.2)' },
    { id: 21, what: 'NUL and other controls in a value are refused (RFC 9110 §5.5)' },
    { id: 22, what: 'LF without CR is refused (RFC 9112 §2.2)' },
    { id: 23, what: 'White space before a colon: 400 in a request, removed in a response (RFC 9112 §5.1)' },
    { id: 24, what: 'Folded lines are refused (RFC 9112 §5.2)' },
    { id: 25, what: 'White space between start line and first field is refused (RFC 9112 §2.2)' },
    { id: 26, what: 'Names are tokens, and a colon follows (RFC 9110 §5.1)' },
    { id: 27, what: 'Every valid method is passed on (RFC 9110 §9.1)' },
    { id: 28, what: 'One empty line before a request is ignored (RFC 9112 §2.2)' },
    { id: 29, what: 'HTTP/1.2 is served as 1.1; 2.0 is 505, 0.9 is 400 (RFC 9112 §2.3)' },
    { id: 30, what: 'What is passed on carries our own version (RFC 9110 §6.2)' },
  ],
  'Target and Host': [
    { id: 31, what: 'HTTP/1.1 needs exactly one valid Host (RFC 9112 §3.2)' },
    { id: 32, what: 'The authority of an absolute target replaces Host; it goes on as a path (RFC 9112 §3.2.2)' },
    { id: 33, what: '* is for OPTIONS only (RFC 9112 §3.2.4)' },
    { id: 34, what: 'An authority is for CONNECT only, which is refused (RFC 9112 §3.2.3)' },
    { id: 35, what: 'Fragments, white space, controls and bytes from 0x80 in a target: 400 (RFC 9112 §3.2)' },
    { id: 36, what: 'The path that is routed on is passed on byte for byte' },
  ],
  'Hop by hop': [
    { id: 37, what: 'Hop-by-hop fields, and those that Connection names, end here (RFC 9110 §7.6.1)' },
    { id: 38, what: 'Connection cannot take our own fields away' },
    { id: 39, what: 'Via is an option, off by default (RFC 9110 §7.6.3)' },
    { id: 40, what: 'Max-Forwards of OPTIONS counts down; TRACE is refused (RFC 9110 §7.6.2)' },
    { id: 41, what: 'Nothing is tunnelled before a 101 that was asked for (RFC 9110 §7.8)' },
    { id: 42, what: 'Names that alias ours by underscores are dropped' },
  ],
  'Interim answers, uploads, reuse': [
    { id: 43, what: 'Expect: 100-continue is passed on; HTTP/1.0 gets no 1xx (RFC 9110 §10.1.1, §15.2)' },
    { id: 44, what: 'Any number of interim answers is passed on (RFC 9110 §15.2)' },
    { id: 45, what: 'An answer before the end of the upload is passed on at once' },
    { id: 46, what: 'When one end leaves, the other is let go' },
    { id: 47, what: 'Nothing unsafe is sent twice, nothing at all once a byte came back (RFC 9110 §9.2.2)' },
    { id: 48, what: 'Pipelined requests are answered in order, whatever becomes of a later one (RFC 9112 §9.3.2)' },
    { id: 49, what: 'Connections are kept and closed as both sides ask (RFC 9112 §9.3, §9.6)' },
    { id: 50, what: 'Bytes behind a response poison its connection (RFC 9112 §9.2)' },
  ],
  Limits: [
    { id: 51, what: 'Heads, targets, chunk extensions and trailers are bounded' },
    { id: 52, what: 'Slow heads are 408; bodies and readers that stand still are let go' },
    { id: 53, what: 'Idle connections cost no timers' },
  ],
  'HTTP/2': [
    { id: 'h2', what: 'Where it is not offered, its preface is 505; an upgrade to it in clear text is not passed on' },
  ],
};

/** Defects that other products had. */
export const defects: ChecklistLine[] = [
  { id: 'GHSA-6x33-pw7p-hmpq', what: 'http-proxy: a long body and a rule that sets fields crash it' },
  { id: 'http-party-1559', what: 'http-proxy: aborts of clients leak sockets' },
  { id: 'CVE-2026-1525', what: 'undici: Content-Length twice, in different case' },
  { id: 'CVE-2022-31150', what: 'undici: CR and LF of request data in a path or field (also CVE-2022-35948)' },
  {
    id: 'CVE-2024-24758',
    what: 'undici: credentials sent on to where a redirect leads (also CVE-2024-30260)',
    none: 'redirects of an origin go to the client and are never followed',
  },
  { id: 'GHSA-2q7r-29rg-6m5h', what: 'fastify-reply-from: %2E%2E leaves the base path' },
  { id: 'GHSA-v2v2-hph8-q5xp', what: 'fastify-reply-from: a body that the origin reads differently' },
  { id: 'GHSA-v574-6498-x57v', what: 'fastify-reply-from: a cache of addresses whose keys collide' },
  { id: 'CVE-2022-32213', what: 'Node: obfuscated Transfer-Encoding' },
  { id: 'CVE-2022-32214', what: 'Node: LF as the end of a field' },
  { id: 'CVE-2022-32215', what: 'Node: Transfer-Encoding over several lines' },
  { id: 'CVE-2022-35256', what: 'Node: fields that do not end with CRLF' },
  { id: 'CVE-2023-30589', what: 'Node: CR as the end of a field, LF in a chunk line' },
  { id: 'CVE-2021-22959', what: 'Node: white space before a colon' },
  { id: 'CVE-2024-27982', what: 'Node: white space before Content-Length' },
  { id: 'CVE-2024-22019', what: 'Node: chunk extensions without bound' },
  { id: 'CVE-2025-23167', what: 'Node: a head that ends with CRLF CR and a letter' },
  { id: 'CVE-2021-40346', what: 'HAProxy: a name so long that it hides Content-Length' },
  { id: 'CVE-2023-25725', what: 'HAProxy: an empty name ends the list of fields' },
  { id: 'CVE-2023-40225', what: 'HAProxy: an empty Content-Length is passed on' },
  { id: 'CVE-2023-45539', what: 'HAProxy: a fragment in the target fools rules on its end' },
  { id: 'CVE-2019-18277', what: 'HAProxy: a vertical tab before chunked' },
  { id: 'haproxy-proxy-v2-tlv', what: 'HAProxy: type-length-values read past the end of a PROXY header' },
  { id: 'CVE-2024-45410', what: 'Traefik: Connection deletes the proxy’s own fields' },
  { id: 'GHSA-5m6w-wvh7-57vm', what: 'Traefik: aliases of forwarding fields by underscores' },
  { id: 'GHSA-6384-m2mw-rf54', what: 'Traefik: X-Forwarded-Prefix of anybody is believed' },
  { id: 'CVE-2025-66490', what: 'Traefik: escaped slashes: another path is routed than is passed on' },
  { id: 'CVE-2026-48020', what: 'Traefik: dot segments: another path is routed than is passed on' },
  { id: 'GHSA-6jwx-7vp4-9847', what: 'Traefik: dot segments behind a prefix that is cut off' },
  { id: 'CVE-2025-4366', what: 'Pingora: the body of a request that was answered here becomes the next request' },
  { id: 'CVE-2026-2833', what: 'Pingora: bytes are tunnelled before the 101' },
  { id: 'CVE-2026-2835', what: 'Pingora: requests of HTTP/1.0 with Transfer-Encoding' },
  { id: 'CVE-2026-2836', what: 'Pingora: answers cached under a key without their host', none: 'nothing is cached' },
  { id: 'caddy-7913', what: 'Caddy: reads and writes that move by a byte now and then' },
];
