import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogFormat, LogLevel } from '../model/observe.ts';
import { demoBanner } from './demo-banner.ts';
import { createEventPrinter } from './event-printer.ts';
import { readSettings } from './read-settings.ts';
import type { StartProxy } from './running-proxy.ts';
import { supervise } from './supervise.ts';
import type { Terminal } from './terminal.ts';

const DEMO_FILE = fileURLToPath(new URL('../../config/demo.yaml', import.meta.url));

/** `demo`: serves config/demo.yaml with a state directory that goes with it, and shows a line per event. */
export async function runDemo(
  { logLevel, logFormat }: { logLevel: LogLevel | undefined; logFormat: LogFormat },
  start: StartProxy,
  terminal: Terminal,
): Promise<number> {
  const settings = await readSettings(DEMO_FILE, terminal);
  if (settings === undefined) return 1;
  const state = await mkdtemp(join(tmpdir(), 'pilotlight-demo-'));
  const names = settings.services.map(({ name }) => name);
  const onEvent = createEventPrinter(names, (line) => terminal.out(line));
  try {
    return await supervise(
      {
        boot: async (signal) => {
          const options = { logLevel: logLevel ?? 'warn', logFormat, env: terminal.env, onEvent, signal };
          const proxy = await start({ ...settings, state }, options);
          const [address = proxy.admin] = proxy.listening;
          terminal.out(demoBanner(address, proxy.admin));
          return proxy;
        },
        // The demo has nothing to reload, and its terminal may be gone.
        reload: undefined,
        upgrade: undefined,
      },
      terminal,
    );
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}
