import { createSecureContext, getCiphers } from 'node:tls';
import { z } from 'zod';
import type {
  CertificateFiles,
  ClientAuthSettings,
  NameSettings,
  TlsSettings,
  TlsVersion,
} from '../../model/tls-settings.ts';
import { didYouMean } from '../../util/suggest.ts';
import { type Exactly, list, option, optional, options, required } from '../option/option.ts';
import { choice, flag, parsed, path, type Reading } from '../option/value-types.ts';
import { acmeSchema } from './listen-acme.ts';
import { readHostPattern } from './routes.ts';

/** OpenSSL's name of a cipher suite that this program can speak. */
function readCipher(text: string): Reading<string> {
  const known = getCiphers();
  const name = text.toLowerCase();
  if (known.includes(name)) return { value: text.toUpperCase() };
  return { fault: `no cipher of that name${didYouMean(name, known)}` };
}

/** OpenSSL's name of a group that this program can exchange keys by. */
function readCurve(text: string): Reading<string> {
  const fault = 'no group of that name, such as X25519 or P-256, that keys can be exchanged by';
  // More than a name would be taken for a list, and for signs of OpenSSL's own; Node takes `auto` for no name.
  if (!/^\w[\w-]*$/.test(text) || text === 'auto') return { fault };
  try {
    createSecureContext({ ecdhCurve: text });
    return { value: text };
  } catch {
    return { fault };
  }
}

/** A version of TLS; YAML takes it for a number. */
function tlsVersion() {
  const read = (text: string): Reading<TlsVersion> =>
    text === '1.2' || text === '1.3' ? { value: text } : { fault: 'expected 1.2 or 1.3: older versions are not safe' };
  return parsed<TlsVersion>('1.2 \\| 1.3', '1.2 or 1.3', read, { enum: [1.2, 1.3, '1.2', '1.3'] });
}

const files = options({
  cert: optional(
    path('a file'),
    'A PEM file: the certificate, then what leads to its authority; the key may be in it.',
  ),
  key: optional(path('a file'), 'A PEM file with its key, not encrypted.', 'the one in `cert`'),
  folder: optional(
    path('a folder'),
    'In place of `cert`: a folder of such files (`*.pem`, `*.crt`, with the key in the file or beside it as `*.key`), ' +
      'or of folders with `fullchain.pem` and `privkey.pem`, or `tls.crt` and `tls.key`.',
  ),
}) satisfies Exactly<CertificateFiles>;

const clientAuth = options({
  ca: required(path('a file'), 'A PEM file with the authorities whose certificates clients may have.'),
  crl: optional(
    path('a file'),
    'A PEM file with the revocation lists of these authorities, and of those between them and a client. Changed files are ' +
      'taken over by themselves; where one is missing or expired, nobody with a certificate is let in.',
    'nobody asks whether a certificate was revoked',
  ),
  mode: option(
    choice('required', 'optional'),
    'required',
    'Whether a client must have one. Where it is optional, one that cannot be verified is refused all the same.',
  ),
}) satisfies Exactly<ClientAuthSettings>;

/** An entry of `names`. */
const named = options({
  hosts: required(
    z
      .array(parsed('host', 'a name such as shop.example.com, or *.example.com', readHostPattern))
      .min(1, 'expected a name'),
    'Names that clients ask for: exact before the longest `*.suffix`, of any depth.',
  ),
  minVersion: optional(tlsVersion(), 'Oldest version of TLS that is spoken.', 'that of the listener'),
  ciphers: list(parsed('cipher', 'the name of a cipher', readCipher), 'Cipher suites; empty: those of the listener.'),
  curves: list(parsed('group', 'the name of a group', readCurve), 'Groups; empty: those of the listener.'),
  clientAuth: optional(clientAuth, 'Asks clients for a certificate.', 'as the listener does'),
}) satisfies Exactly<NameSettings>;

/** `listen[].tls`. */
export const tlsSchema = optional(
  options({
    certificates: list(
      files,
      'Certificates, at least one unless they are ordered; which one is used is decided by the name that a client asks for: exact before wildcard before the ' +
        'first one. Changed files are taken over by themselves.',
    ),
    acme: acmeSchema,
    minVersion: option(tlsVersion(), '1.2', 'Oldest version of TLS that is spoken.'),
    strictSni: option(
      flag(),
      'false',
      'Whether the handshake ends where no certificate is for the name that a client asks for, or it asks for none.',
    ),
    ciphers: list(
      parsed('cipher', 'the name of a cipher', readCipher),
      "Cipher suites by OpenSSL's names, in place of the default: those with forward secrecy and authenticated encryption.",
    ),
    curves: list(
      parsed('group', 'the name of a group', readCurve),
      "Groups that keys are exchanged by, by OpenSSL's names, in place of its own choice.",
    ),
    tickets: option(
      flag(),
      'true',
      'Whether clients may resume sessions by tickets. Without, each connection costs a full handshake, and a key that ' +
        'leaks from memory opens none that was recorded.',
    ),
    names: list(
      named,
      'What differs for some names, for those who ask for one of them and for no other. A request for a host that other ' +
        'rules hold for than for its connection gets 421.',
    ),
    clientAuth: optional(
      clientAuth,
      'Asks clients for a certificate. The service is told its subject in X-Forwarded-Client-Subject.',
      'none is asked for',
    ),
  }) satisfies Exactly<TlsSettings>,
  'Ends TLS here.',
  'requests come in clear text',
);
