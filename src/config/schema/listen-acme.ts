import type { AcmeSettings, ExternalAccount } from '../../model/tls-settings.ts';
import { type Exactly, option, optional, options, required } from '../option/option.ts';
import { choice, parsed, path, type Reading, text } from '../option/value-types.ts';

const MAIL = /^[^\s@,?&#%]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i;

/** Address of an authority's directory (RFC 8555 §7.1.1). */
function readDirectory(input: string): Reading<string> {
  const url = /^[!-~]+$/.test(input) ? URL.parse(input) : null;
  if (url === null) return undefined;
  if (url.protocol !== 'https:') return { fault: 'an address of https: authorities are asked by no other way' };
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    return { fault: 'an address without user and "#"' };
  return { value: url.href };
}

const eab = options({
  kid: required(text({ pattern: /^[!-~]+$/, expected: 'printable ASCII without blanks' }), 'Identifier of the key.'),
  hmac: optional(
    text({ secret: true, pattern: /^[A-Za-z0-9_-]+=*$/, expected: 'base64url as the authority gave it' }),
    'The key, as the authority gave it (base64url).',
  ),
  hmacFile: optional(path('a file'), 'In place of `hmac`: a file that holds it.'),
}) satisfies Exactly<ExternalAccount>;

/** `listen[].tls.acme`. */
export const acmeSchema = optional(
  options(
    {
      directory: required(
        parsed('URL', 'the address of a directory, such as https://acme.example.com/directory', readDirectory),
        "Address of the authority's directory. To name it is to agree to the authority's terms of service.",
      ),
      email: optional(
        parsed('mail address', 'a mail address', (input) => (MAIL.test(input) ? { value: input } : undefined)),
        'Where the authority writes to, of certificates that are about to expire and the like.',
      ),
      challenge: option(
        choice('http-01', 'tls-alpn-01'),
        'http-01',
        'How the authority sees that a host leads here: it asks port 80, which a listener without `tls` has to answer, ' +
          'or port 443, which this one has to be.',
      ),
      profile: optional(
        text({ pattern: /^[!-~]+$/, expected: 'the name of a profile' }),
        'Which of the kinds of certificates that the authority offers.',
        'its usual one',
      ),
      eab: optional(
        eab,
        'An account that you have with the authority already (external account binding), where it wants one.',
      ),
      ca: optional(
        path('a file'),
        'A PEM file with authorities to trust for the connection to it, beside the usual ones.',
      ),
    },
    // Which hosts these are is known when all routes are.
    (given): AcmeSettings => ({ ...given, hosts: [] }),
  ),
  'Orders certificates, and renews them, for the exact hosts of the routes of this listener that none of `certificates` ' +
    'is for (ACME, RFC 8555). See [certificates that are ordered](acme.md).',
  'none are ordered',
);
