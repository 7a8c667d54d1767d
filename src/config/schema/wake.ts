import type { WakeRule } from '../../model/settings.ts';
import { type Exactly, list, option, optional, options, required } from '../option/option.ts';
import { choice, integer, parsed, text } from '../option/value-types.ts';
import { readPathPrefix } from './routes.ts';

/** `services.<name>.wake`. */
export const wakeSchema = list(
  options({
    path: optional(parsed('path', 'a path', readPathPrefix), 'Path prefix at a segment border.', 'any'),
    userAgent: optional(text(), 'Glob on the User-Agent: `*` only, case-insensitive.', 'any'),
    then: required(
      choice('wake', 'answer', 'deny'),
      '`wake` starts the service, `answer` answers in its place, `deny` answers 503.',
    ),
    status: option(integer('', 200, 599), '200', 'Status that `answer` sends.'),
  }) satisfies Exactly<WakeRule>,
  'What a request for a sleeping service does. The first rule whose conditions all match decides; without one it wakes. ' +
    'While the service is awake every request goes to it, but one that may not wake it does not keep it awake either: ' +
    'it is no activity, takes no retire back, and nothing is scaled for it.',
);
