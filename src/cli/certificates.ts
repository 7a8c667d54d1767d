import Table from 'cli-table3';
import type { CertificateStatus } from '../model/certificates.ts';
import { counted } from '../util/format.ts';
import { printable } from '../util/printable.ts';
import { createAdminClient } from './admin-client.ts';
import { type AdminOptions, findAdmin } from './admin-target.ts';
import { noLines } from './plain-table.ts';
import type { Terminal } from './terminal.ts';

interface CertificatesOptions extends AdminOptions {
  json?: true;
}

const HEAD = ['certificate', 'signed by', 'ends', 'renewal'];
const DAY_MS = 86_400_000;
/** Most characters of a cell. */
const MOST_CELL = 60;

/** `certificates`: those of all listeners. @throws what `findAdmin` and the admin client throw */
export async function showCertificates(given: CertificatesOptions, terminal: Terminal): Promise<number> {
  const certificates = await createAdminClient(await findAdmin(given, terminal)).certificates();
  const { out, clock } = terminal;
  out(given.json === true ? JSON.stringify(certificates, null, 2) : certificatesText(certificates, clock.wall()));
  return 0;
}

/** A line for each, and one below for what an order failed by. @param now ms since the epoch */
export function certificatesText(certificates: readonly CertificateStatus[], now: number): string {
  if (certificates.length === 0) return 'no listener ends TLS';
  const table = new Table({
    head: HEAD,
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  for (const certificate of certificates) {
    const { name, names, issuer, order } = certificate;
    const more = names.length > 1 ? ` and ${names.length - 1} more` : '';
    table.push([`${name}${more}`, issuer ?? '–', endText(certificate, now), renewalText(certificate)].map(cell));
    if (order?.failure) table.push([{ colSpan: HEAD.length, content: `  ${failureText(order.failure)}` }]);
  }
  const lines = table.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n');
}

function cell(text: string): string {
  return printable(text, MOST_CELL);
}

function endText({ notAfter }: CertificateStatus, now: number): string {
  if (notAfter === null) return 'not there yet';
  const ms = Date.parse(notAfter) - now;
  const day = notAfter.slice(0, 10);
  return ms < 0 ? `${day}, expired` : `${day}, ${counted(Math.floor(ms / DAY_MS), 'day')} left`;
}

function renewalText({ order, file }: CertificateStatus): string {
  if (order === null) return `by its file, ${file}`;
  const { state, by, renewAt, failure } = order;
  if (state === 'served' && renewAt === null && by !== null) return `by ${by}`;
  if (state === 'backing-off') return `tried again at ${failure?.nextTryAt ?? '–'}`;
  return state === 'ordering' ? 'being ordered' : `at ${renewAt ?? '–'}`;
}

function failureText({ at, message, inARow }: NonNullable<NonNullable<CertificateStatus['order']>['failure']>): string {
  return `failed ${inARow === 1 ? '' : `${inARow} times in a row, at last `}at ${at}: ${message}`;
}
