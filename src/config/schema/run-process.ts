import { z } from 'zod';
import { option, options, required } from '../option/option.ts';
import { path, text } from '../option/value-types.ts';
import { stop, variables } from './run-options.ts';

/** `services.<name>.run.process`. */
export const processRun = options(
  {
    command: required(
      z.array(text({ keepsEmpty: true })).min(1, 'expected at least one word'),
      "Program and arguments, as a list of words. `{port}` is replaced by the replica's port.",
    ),
    cwd: option(path('a text'), '.', "Working directory. A relative one counts from this file's folder."),
    env: variables('Added to a minimal environment. `{port}` is replaced.'),
    stop: stop(),
  },
  (given) => ({ runtime: 'process', kind: 'process', ...given }) as const,
);
