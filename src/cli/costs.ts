import Table from 'cli-table3';
import type { CostAmounts, Costs, ServiceCosts } from '../model/costs.ts';
import { PilotlightError } from '../model/errors.ts';
import { parseSince } from '../util/since.ts';
import { formatDuration } from '../util/units.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { noLines } from './plain-table.ts';
import type { Terminal } from './terminal.ts';

interface CostsOptions extends AdminOptions {
  since?: string;
  json?: true;
}

const DEFAULT_SINCE = '7d';

/**
 * `costs`: what each service took and waited, and what it would have been otherwise.
 * @throws USAGE, and what `findAdmin` and the admin client throw
 */
export async function showCosts(given: CostsOptions, terminal: Terminal): Promise<number> {
  const { since = DEFAULT_SINCE, json } = given;
  if (parseSince(since, terminal.clock.wall()) === undefined) {
    const message = `--since is a duration such as 7d, or a time such as 2026-11-29T12:00:00Z, not "${since}"`;
    throw new PilotlightError('USAGE', message);
  }
  const costs = await createAdminClient(await findAdmin(given, terminal)).costs(since);
  terminal.out(json === true ? JSON.stringify(costs, null, 2) : costsText(costs));
  return 0;
}

/** The costs as a table: of each service what it took, then what it would have taken otherwise. */
export function costsText({ since, services, currency }: Costs): string {
  if (services.length === 0) return `nothing ran since ${since}`;
  const hasMoney = services.some(({ money }) => money !== null);
  const head = ['service', 'requests', 'cold starts', 'waited', 'replica time', 'memory', 'CPU'];
  const table = new Table({
    head: hasMoney ? [...head, currency] : head,
    colAligns: ['left', ...head.map(() => 'right' as const)],
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  const line = (name: string, requests: string, amounts: CostAmounts, cpu: string) => {
    const { coldStarts, waitedSeconds, replicaSeconds, memoryMiBSeconds, money } = amounts;
    const memory = memoryMiBSeconds === null ? '–' : `${(memoryMiBSeconds / 1024 / 3600).toPrecision(3)} GiB h`;
    const row = [name, requests, String(coldStarts), seconds(waitedSeconds), seconds(replicaSeconds), memory, cpu];
    return hasMoney ? [...row, (money ?? 0).toFixed(2)] : row;
  };
  for (const each of [...services, ...(services.length > 1 ? [totalOf(services)] : [])]) {
    const cpu = each.cpuSeconds === null ? '–' : seconds(each.cpuSeconds);
    table.push(line(each.service, String(each.requests), each, cpu));
    table.push(line('  always on', '', each.alwaysOn, ''), line('  idle: 10m', '', each.fixed10m, ''));
  }
  const lines = table.toString().split('\n');
  return [`since ${since}`, ...lines.map((text) => text.trimEnd())].join('\n');
}

function seconds(value: number): string {
  return formatDuration(value * 1000);
}

function totalOf(services: readonly ServiceCosts[]): ServiceCosts {
  const sum = (of: (each: ServiceCosts) => number | null) =>
    services.reduce<number | null>((all, each) => {
      const value = of(each);
      return value === null ? all : (all ?? 0) + value;
    }, null);
  const amounts = (of: (each: ServiceCosts) => CostAmounts): CostAmounts => ({
    replicaSeconds: sum((each) => of(each).replicaSeconds) ?? 0,
    memoryMiBSeconds: sum((each) => of(each).memoryMiBSeconds),
    coldStarts: sum((each) => of(each).coldStarts) ?? 0,
    waitedSeconds: sum((each) => of(each).waitedSeconds) ?? 0,
    money: sum((each) => of(each).money),
  });
  return {
    service: 'all',
    ...amounts((each) => each),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    requests: sum(({ requests }) => requests) ?? 0,
    alwaysOn: amounts(({ alwaysOn }) => alwaysOn),
    fixed10m: amounts(({ fixed10m }) => fixed10m),
  };
}
