import { z } from 'zod';
import type { TcpSettings } from '../../model/settings.ts';
import { type Exactly, mapping, optional, options } from '../option/option.ts';
import { text } from '../option/value-types.ts';
import { readHostPattern } from './routes.ts';

const NAME = 'expected a name such as db.example.com, *.example.com, or * for all others';

/** The name in the one spelling that ClientHellos are compared with; undefined: it is none. */
function nameOf(text: string): string | undefined {
  if (text === '*') return text;
  const reading = readHostPattern(text);
  return reading !== undefined && 'value' in reading ? reading.value : undefined;
}

const serverName = z.string().refine((text) => nameOf(text) !== undefined, NAME);

/** `listen[].tcp`. */
export const listenTcpSchema = optional(
  options(
    {
      service: optional(text(), 'The service that every connection leads to.'),
      sni: mapping(
        serverName,
        text(),
        'Services by the name that a client asks for when it begins TLS, which is not ended here: exact before the ' +
          'longest `*.suffix` before `*`, which stands for every other name and for none. A name that leads nowhere ' +
          'gets the alert unrecognized_name.',
      ),
    },
    ({ service, sni }): TcpSettings => ({
      service,
      sni: Object.entries(sni).map(([name, to]) => ({ name: nameOf(name) ?? name, service: to })),
    }),
  ) satisfies Exactly<TcpSettings>,
  'Passes connections on as they are, whatever they speak, to one service or by the name in their ClientHello: see ' +
    '[TCP services](tcp.md). Of the time-outs and limits, `timeouts.head` (to the end of a ClientHello), `timeouts.send` ' +
    '(what is left at the end), `limits.connections` and `limits.connectionsPerClient` hold.',
  'connections speak HTTP',
);
