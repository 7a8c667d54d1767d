import { PilotlightError } from '../model/errors.ts';
import type { RouteExplanation, RouteStatus } from '../model/routes.ts';
import { counted } from '../util/format.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { plainTable } from './plain-table.ts';
import type { Terminal } from './terminal.ts';

interface RoutesOptions extends AdminOptions {
  host?: string;
  explain?: true;
  json?: true;
}

/**
 * `routes`: where hosts and paths lead; with `--explain METHOD URL` where one request goes.
 * @returns 1 where the request that is explained would be refused
 * @throws USAGE, and what `findAdmin` and the admin client throw
 */
export async function showRoutes(
  operands: readonly string[],
  given: RoutesOptions,
  terminal: Terminal,
): Promise<number> {
  const { host, explain, json } = given;
  if (explain !== true) {
    if (operands.length > 0) throw usage(`"routes" takes "${operands[0]}" with --explain only`);
    const routes = await createAdminClient(await findAdmin(given, terminal)).routes(host);
    terminal.out(json === true ? JSON.stringify(routes, null, 2) : routesText(routes));
    return 0;
  }
  if (host !== undefined) throw usage('--host does not go with --explain: the URL names the host');
  const [method, url] = operands.length === 1 ? ['GET', operands[0]] : operands;
  if (method === undefined || url === undefined)
    throw usage('--explain needs METHOD URL, as in GET https://a.example/');
  const question = { method: method.toUpperCase(), url };
  const explanation = await createAdminClient(await findAdmin(given, terminal)).explainRoute(question);
  terminal.out(json === true ? JSON.stringify(explanation, null, 2) : explanationText(explanation));
  return explanation.refusal === null ? 0 : 1;
}

function usage(message: string): PilotlightError {
  return new PilotlightError('USAGE', message);
}

function routesText(routes: readonly RouteStatus[]): string {
  if (routes.length === 0) return 'no route';
  const rows = routes.map(({ host, path, service, listeners, rules }) => [
    host ?? '*',
    path ?? 'tcp',
    service,
    listeners === null ? 'all' : listeners.join(', '),
    rules.join('; ') || '–',
  ]);
  return plainTable(['host', 'path', 'service', 'listeners', 'rules'], rows);
}

function explanationText(explanation: RouteExplanation): string {
  const { method, host, path, listener, route, refusal, why, then, others, elsewhere } = explanation;
  const at = listener === null ? '' : ` at ${listener.name ?? listener.address}`;
  const asked = `${method} ${host}${path}${at}`;
  const outcome = route === null ? (refusal ?? 'not routed') : `${nameOf(route)} → ${route.service}`;
  const lines = [asked, `  ${outcome}`, `    because: ${why}`];
  if (route !== null && refusal !== null) lines.push(`    refused: ${refusal}`);
  for (const step of then) lines.push(`    then: ${step}`);
  if (others.length > 0) lines.push('  not taken');
  for (const other of others) lines.push(`    ${nameOf(other.route)} → ${other.route.service}: ${other.why}`);
  if (elsewhere > 0) lines.push(`  ${counted(elsewhere, 'other route')}, for other hosts or listeners`);
  return lines.join('\n');
}

function nameOf({ host, path }: RouteStatus): string {
  return `${host ?? '*'}${path ?? ''}`;
}
