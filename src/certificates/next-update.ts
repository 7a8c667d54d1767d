/** Tags of ASN.1, as DER writes them (X.690 §8). */
const INTEGER = 0x02;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** One element: its tag, and where its content begins and ends. */
interface Element {
  tag: number;
  from: number;
  to: number;
}

/**
 * When a revocation list is due to be replaced (`nextUpdate`, RFC 5280 §5.1.2.5), ms since the epoch.
 * @param pem a block that OpenSSL can read
 * @returns undefined where it does not say
 */
export function nextUpdateOf(pem: string): number | undefined {
  const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const list = elementAt(der, elementAt(der, 0).from);
  let at = list.from;
  const next = (): Element => {
    const element = elementAt(der, at);
    at = element.to;
    return element;
  };
  // The version may be left out; then come the algorithm, the issuer, `thisUpdate` and what is looked for.
  if (der[at] === INTEGER) next();
  for (let i = 0; i < 3; i++) next();
  if (at >= list.to) return undefined;
  const { tag, from, to } = next();
  return tag === UTC_TIME || tag === GENERALIZED_TIME ? timeOf(der.toString('latin1', from, to)) : undefined;
}

function elementAt(der: Buffer, at: number): Element {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { tag: der[at] ?? 0, from: at + 2, to: at + 2 + first };
  const bytes = first - 0x80;
  const from = at + 2 + bytes;
  return { tag: der[at] ?? 0, from, to: from + (bytes === 0 || bytes > 6 ? 0 : der.readUIntBE(at + 2, bytes)) };
}

/** `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`; a year of two digits is of 1950 to 2049 (RFC 5280 §4.1.2.5.1). */
function timeOf(text: string): number | undefined {
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const full = match[1]?.length === 4 ? year : year + (year < 50 ? 2000 : 1900);
  return Date.UTC(full, month - 1, date, hour, minute, second);
}
