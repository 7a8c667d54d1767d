import type { CertificateStatus } from '../model/certificates.ts';
import { read } from './api.ts';
import { h, KeyedList, tableOf, textRow } from './dom.ts';
import { moment } from './format.ts';
import type { Page } from './page.ts';
import { readPage } from './read-page.ts';

const DAY_MS = 86_400_000;

/** The certificates of listeners: names, how long they last, and how orders stand. */
export function certificatesPage(): Page {
  const table = tableOf('Certificates', ['Name', 'Names', 'Source', 'Issuer', 'Expires', 'Order']);
  const none = h('p', { class: 'faint', hidden: true }, 'No listener has certificates.');
  const rows = new KeyedList<CertificateStatus>(
    table.body,
    ({ name, file, source }) => `${source} ${file} ${name}`,
    (first) => textRow(cellsOf, first),
  );
  return readPage('Certificates', [none, table.element], async () => {
    const certificates = await read<CertificateStatus[]>('v1/certificates');
    return () => {
      rows.show(certificates);
      none.hidden = certificates.length > 0;
      table.element.hidden = certificates.length === 0;
    };
  });
}

function cellsOf({ name, names, source, file, issuer, notAfter, order }: CertificateStatus): string[] {
  return [name, names.join(', '), file ?? source, issuer ?? '–', expiryText(notAfter), orderText(order)];
}

function expiryText(notAfter: string | null): string {
  if (notAfter === null) return 'not there yet';
  const days = Math.floor((Date.parse(notAfter) - Date.now()) / DAY_MS);
  return days < 0 ? 'expired' : `in ${days} days`;
}

function orderText(order: CertificateStatus['order']): string {
  if (order === null) return '–';
  const { state, by, renewAt, failure } = order;
  const now = Date.now();
  const failed = failure === null ? '' : `; failed: ${failure.message}, next try ${moment(failure.nextTryAt, now)}`;
  const orderer = by === null ? '' : ` by ${by}`;
  return `${state}${orderer}${renewAt === null ? '' : `, renewed ${moment(renewAt, now)}`}${failed}`;
}
