/** Which page is shown, and what of it: all of it lives in the fragment of the address. */
export interface PageRoute {
  page: string;
  /** The service of a page about one; empty elsewhere. */
  name: string;
  query: URLSearchParams;
}

/** Reads a fragment such as `#/services?q=shop&state=ready` or `#/service/shop`. */
export function parseRoute(hash: string): PageRoute {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', name = ''] = path.split('/');
  return { page: page || 'services', name: decode(name), query: new URLSearchParams(query) };
}

/** The fragment of a route; members of the query that are empty are left out. */
export function printRoute(page: string, name = '', query: Record<string, string> = {}): string {
  const members = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  return `#/${page}${name === '' ? '' : `/${encodeURIComponent(name)}`}${members.size === 0 ? '' : `?${members}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
