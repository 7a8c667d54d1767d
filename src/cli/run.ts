import { formatProblem } from '../config/check/problem.ts';
import { loadConfig } from '../config/load/load.ts';
import type { LogFormat, LogLevel } from '../model/observe.ts';
import type { ReloadResult } from '../model/reload.ts';
import { hostPort } from '../util/host-port.ts';
import { createEventPrinter } from './event-printer.ts';
import { locateConfig } from './locate-config.ts';
import { inheritedDescriptors, predecessorOf } from './predecessor.ts';
import { readSettings } from './read-settings.ts';
import type { RunningProxy, StartProxy } from './running-proxy.ts';
import { serviceManager } from './service-manager.ts';
import { supervise } from './supervise.ts';
import type { Terminal } from './terminal.ts';
import { upgrade } from './upgrade.ts';
import { IncludeWatch } from './watch-includes.ts';

interface RunOptions {
  config: string | undefined;
  logLevel: LogLevel | undefined;
  logFormat: LogFormat;
}

/**
 * `run`: serves a configuration until told to stop; SIGHUP reads it again, SIGUSR2 starts a successor. A person at a
 * terminal sees a line per event, anything else that reads gets the log, in which the events are too.
 * @throws CONFIG_NOT_FOUND and what starting a proxy throws
 */
export async function runConfigured(
  { config, logLevel, logFormat }: RunOptions,
  start: StartProxy,
  terminal: Terminal,
): Promise<number> {
  const file = await locateConfig(config, terminal);
  const settings = await readSettings(file, terminal);
  if (settings === undefined) return 1;
  const { env, interactive } = terminal;
  const names = settings.services.map(({ name }) => name);
  const onEvent = interactive ? createEventPrinter(names, (line) => terminal.out(line)) : () => undefined;
  const manager = serviceManager(terminal);
  const level = logLevel ?? (interactive ? 'warn' : 'info');
  let includes: IncludeWatch | undefined;
  const ended = supervise(
    {
      boot: async (signal, askReload) => {
        const inherited = inheritedDescriptors(env, process.pid);
        const predecessor = predecessorOf(env, manager.ready);
        const options = { logLevel: level, logFormat, env, onEvent, signal, reload: askReload, inherited, predecessor };
        const proxy = await start(settings, options);
        includes = new IncludeWatch(terminal.clock, () => void askReload().catch(() => undefined));
        includes.follow(settings.include ?? []);
        if (predecessor === undefined) void manager.ready();
        if (interactive) terminal.out(servingLine(proxy));
        return proxy;
      },
      reload: (proxy) => reload(proxy, file, terminal, (patterns) => includes?.follow(patterns)),
      upgrade: (proxy, stop) => upgrade(proxy, terminal, stop),
      stopping: () => void manager.stopping(),
    },
    terminal,
  );
  return ended.finally(() => includes?.close());
}

function servingLine({ listening, admin }: RunningProxy): string {
  return `serving on ${listening.map(hostPort).join(', ')}, admin on ${hostPort(admin)}`;
}

async function reload(
  proxy: RunningProxy,
  file: string,
  { env }: Terminal,
  follow: (patterns: readonly string[]) => void,
): Promise<ReloadResult> {
  const result = await loadConfig(file, env);
  const source = { file, modified: result.modified };
  if (!result.ok) return proxy.refuseReload(result.problems.map(formatProblem), source);
  for (const warning of result.warnings) proxy.logger.warn({ file }, formatProblem(warning));
  follow(result.settings.include ?? []);
  return proxy.reload(result.settings, source);
}
