import { type Exactly, optional, options } from '../option/option.ts';
import { parsed } from '../option/value-types.ts';

/** What a replica is sent, or has to answer: undefined where it is only connected to. */
interface TcpReady {
  send: string | undefined;
  expect: string | undefined;
}

/** Bytes, one per character. */
function bytes() {
  return parsed(
    'text',
    'a text whose characters are bytes, such as "PING\\r\\n"',
    (text) => (/^[\0-\xff]+$/.test(text) ? { value: text } : undefined),
    { type: ['string', 'number', 'boolean'] },
  );
}

/** `services.<name>.ready.tcp`. */
export const readyTcpSchema = optional(
  options({
    send: optional(
      bytes(),
      'Bytes that it is sent, one per character: in double quotes `\\r`, `\\n` and `\\xff` are one.',
    ),
    expect: optional(bytes(), 'Bytes that its answer has to begin with.', 'to accept is enough'),
  }) satisfies Exactly<TcpReady>,
  'For services that TCP listeners lead to: what a replica has to answer, in the same way. Without it one is ready when ' +
    'it accepts a connection.',
);
