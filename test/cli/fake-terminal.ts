import type { Terminal } from '../../src/cli/terminal.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';

export interface FakeTerminal extends Terminal {
  stdout: string[];
  stderr: string[];
  clock: VirtualClock;
}

/** A terminal that remembers, in an empty directory unless told. */
export function fakeTerminal(changes: Partial<Terminal> = {}): FakeTerminal {
  const stdout: string[] = [];
  const stderr: string[] = [];
  return {
    stdout,
    stderr,
    out: (line) => void stdout.push(line),
    err: (line) => void stderr.push(line),
    input: async function* () {},
    env: { XDG_CONFIG_HOME: '/nonexistent' },
    cwd: '/nonexistent',
    interactive: false,
    columns: () => 200,
    openScreen: () => {
      throw new Error('this test has no screen');
    },
    ...changes,
    clock: new VirtualClock(),
  };
}
