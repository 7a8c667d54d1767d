import { z } from 'zod';
import { option, optional, options, required } from '../option/option.ts';
import { choice, path, text } from '../option/value-types.ts';
import { stop, variables } from './run-options.ts';

/** `services.<name>.run.process`. */
export const processRun = options(
  {
    command: required(
      z.array(text({ keepsEmpty: true })).min(1, 'expected at least one word'),
      "Program and arguments, as a list of words. `{port}` is replaced by the replica's port.",
    ),
    cwd: option(path('a text'), '.', "Working directory. A relative one counts from this file's folder."),
    standby: optional(
      choice('auto', 'paused', 'none'),
      '`none`: an idle process is stopped. `paused`: it is stopped where it is, with SIGSTOP to its process group: it ' +
        'keeps its memory, and a wake takes milliseconds. `auto`: paused for as long as that pays, then ended; see ' +
        '[Recycling](recycling.md#standby).',
      'none',
    ),
    env: variables('Added to a minimal environment. `{port}` is replaced.'),
    listener: optional(
      choice('own', 'any'),
      '`own`: what listens on the port has to be a process of the replica: the one that was started, or one that it began. ' +
        'A start of which another program took the port is tried again with another one. `any`: that is not looked at, for ' +
        'a command that has another program listen for it, as `podman run -p` does.',
      'own',
    ),
    stop: stop(),
  },
  (given) => ({ runtime: 'process', kind: 'process', ...given }) as const,
);
