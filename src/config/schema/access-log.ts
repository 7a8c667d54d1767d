import type { AccessLogSettings } from '../../model/settings.ts';
import { type Exactly, option, optional, section, type Unset } from '../option/option.ts';
import { choice, path } from '../option/value-types.ts';

/** `accessLog`. */
export const accessLogSchema = section(
  {
    file: optional(
      path('a path, or stdout', 'stdout'),
      "Where a line per request goes: a path, or `stdout`. A relative path counts from this file's folder. " +
        'SIGHUP opens it anew, as after a rotation.',
      'none',
    ),
    format: option(
      choice('json', 'common', 'combined', 'httplog'),
      'json',
      "Fields and their order: JSON, the NCSA formats, or those of HAProxy's `option httplog`. " +
        'Query values that look like secrets are left out in all of them.',
    ),
  },
  'A line per request.',
) satisfies Exactly<Unset<AccessLogSettings, 'file'>>;
