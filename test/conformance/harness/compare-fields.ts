import { type Message, valuesOf } from './message.ts';

/** What the proxy tells the origin about the client. */
const OWN_FIELDS = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Real-IP',
  'X-Request-Id',
];

/** Fields that end at the next hop and may not be passed on (RFC 9110 §7.6.1), and ours if not there just once. */
export function unfitFields(message: Message): string[] {
  const complaints: string[] = [];
  for (const [name, value] of message.fields) {
    const lower = `${name}: ${value}`.toLowerCase();
    if (/^(keep-alive|proxy-connection|proxy-authorization|proxy-authenticate):/.test(lower)) complaints.push(lower);
    if (/^te:/.test(lower) && lower !== 'te: trailers') complaints.push(lower);
    if (/^connection:/.test(lower) && !/^connection: (upgrade|te)$/.test(lower)) complaints.push(lower);
  }
  for (const name of OWN_FIELDS) {
    if (valuesOf(message.fields, name).length !== 1) complaints.push(`not exactly one ${name}`);
  }
  return complaints.map((field) => `unfit for the next hop: ${field}`);
}

/** Whether all of `has` (`Name: value`) are among the fields, and none of the names in `lacks`. */
export function compareFields(
  message: Message,
  has: readonly string[] | undefined,
  lacks: readonly string[] | undefined,
): string[] {
  const complaints: string[] = [];
  for (const field of has ?? []) {
    const [name = '', ...value] = field.split(': ');
    if (!valuesOf(message.fields, name).includes(value.join(': '))) complaints.push(`no field ${field}`);
  }
  for (const name of lacks ?? []) {
    if (valuesOf(message.fields, name).length > 0) complaints.push(`field ${name}`);
  }
  return complaints;
}

/** Whether the trailers are exactly these. */
export function compareTrailers(message: Message, want: readonly string[] | undefined): string[] {
  const sent = message.trailers.map(([name, value]) => `${name}: ${value}`).join(' | ');
  return want === undefined || sent === want.join(' | ') ? [] : [`trailers ${sent}`];
}
