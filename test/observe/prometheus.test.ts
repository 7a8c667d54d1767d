import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { MetricName } from '../../src/model/observe.ts';
import { metricCatalog } from '../../src/observe/metric-catalog.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { findProgram, run } from '../support/command.ts';
import { aptInstall } from '../support/debian.ts';

const ROOT = join(import.meta.dirname, '../..');
const ALERTS = join(ROOT, 'config/alerts/pilotlight.yaml');
const names = Object.keys(metricCatalog) as MetricName[];

beforeAll(async () => {
  if (findProgram('promtool') === undefined) await aptInstall(['prometheus']);
}, 600_000);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pilotlight-prometheus-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

async function expressions(): Promise<string[]> {
  const dashboard: Dashboard = JSON.parse(await readFile(join(ROOT, 'config/grafana/pilotlight.json'), 'utf8'));
  return dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

test('promtool complains of one unit of the metrics alone', async () => {
  const metrics = createMetrics();
  for (const name of names) {
    const labels = { service: 'a "quoted"\nname' };
    if (metricCatalog[name].type === 'histogram') metrics.observe(name, labels, 0.2);
    else if (metricCatalog[name].type === 'gauge') metrics.gauge(name, labels, 1);
    else metrics.count(name, labels, 1);
  }
  const at = await folder();
  await writeFile(join(at, 'metrics'), metrics.render());
  const told = await run('sh', ['-c', `promtool check metrics < ${join(at, 'metrics')} 2>&1 || true`]);
  // Nobody thinks of the end of a certificate in seconds.
  expect(told.trim()).toBe('pilotlight_certificate_days_left use base unit "seconds" instead of "days"');
});

test('each alert fires at what it is for, and is silent at what looks like it', async () => {
  const at = await folder();
  const rules = (await readFile(join(import.meta.dirname, 'alerts.yaml'), 'utf8')).replace('RULES', ALERTS);
  await writeFile(join(at, 'alerts.yaml'), rules);
  expect(await run('promtool', ['test', 'rules', join(at, 'alerts.yaml')])).toContain('SUCCESS');
  const alerts = [...(await readFile(ALERTS, 'utf8')).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  for (const alert of alerts) expect(rules).toContain(`alertname: ${alert}\n`);
});

test('every expression of the dashboard can be evaluated', async () => {
  const rules = (await expressions()).map((expr, index) => ({
    record: `panel:${index}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(?:instance|service)/g, '.*'),
  }));
  const at = await folder();
  await writeFile(join(at, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  expect(await run('promtool', ['check', 'rules', join(at, 'rules.yaml')])).toContain(`${rules.length} rules found`);
});

test('dashboard and alerts name no metric that there is not', async () => {
  const text = [...(await expressions()), await readFile(ALERTS, 'utf8')].join('\n');
  const named = [...text.matchAll(/pilotlight_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !(name in metricCatalog))).toEqual([]);
});
