import { constants } from 'node:os';
import { z } from 'zod';
import type { StopSettings } from '../../model/settings.ts';
import { didYouMean } from '../../util/suggest.ts';
import { type Exactly, mapping, option, section } from '../option/option.ts';
import { duration, parsed, type Reading, text } from '../option/value-types.ts';

/** `SIGTERM`, or `TERM`. */
function readSignal(text: string): Reading<string> {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  if (Object.hasOwn(constants.signals, name)) return { value: name };
  return { fault: `no such signal${didYouMean(name, Object.keys(constants.signals))}` };
}

/** `stop` of every runtime. */
export const stop = () =>
  section(
    {
      signal: option(parsed('signal', 'a signal', readSignal), 'SIGTERM', 'Asks the replica to end.'),
      graceMs: option(duration(0), '10s', 'From the signal to the kill.'),
    },
    'How a replica is stopped.',
  ) satisfies Exactly<StopSettings>;

/** `env` of every runtime. */
export const variables = (about: string) =>
  mapping(
    z.string().regex(/^[^=\0]+$/, 'expected a variable name'),
    text({ expected: 'a text', secret: true, keepsEmpty: true }),
    about,
  );
