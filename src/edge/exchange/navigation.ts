import type { RequestHead } from '../http1/request.ts';

/**
 * Whether a browser goes to a page, and would show what it gets: by Fetch Metadata, or without it by Accept. Nothing
 * that has a body, so that none is lost to the page.
 */
export function isNavigation(request: RequestHead): boolean {
  if (request.method !== 'GET' || request.upgrade !== undefined || request.hasBody) return false;
  const mode = request.head.get('sec-fetch-mode');
  if (mode !== undefined) return mode === 'navigate';
  const accept = request.head.get('accept');
  return accept?.includes('text/html') === true && request.head.get('x-requested-with') === undefined;
}
