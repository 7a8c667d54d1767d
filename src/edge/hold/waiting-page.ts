import { createHash } from 'node:crypto';
import { escapeHtml } from '../answer/own-answer.ts';
import type { RequestHead } from '../http1/request.ts';

/** Where a waiting page asks for progress: this prefix and the path that it waits for. */
export const PROGRESS_PREFIX = '/.well-known/pilotlight/wait';

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

const STYLE =
  ':root{color-scheme:light dark}*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;' +
  'padding:1.5rem;font:1rem/1.5 system-ui,sans-serif;color:#1d2433;background:#f3f5f8}main{width:100%;max-width:26rem;' +
  'padding:2rem;text-align:center;background:#fff;border:1px solid #dde2ea;border-radius:.75rem}h1{margin:0 0 .5rem;' +
  'font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere}p{margin:0 0 1.25rem;color:#56607a}progress{width:100%;' +
  'accent-color:#2f6feb}a{display:inline-block;padding:.55rem 1.4rem;border-radius:.5rem;background:#2457c5;color:#fff;' +
  'font-weight:600;text-decoration:none}a:hover{background:#1d489f}a:focus-visible{outline:3px solid #8db2ff;' +
  'outline-offset:2px}[hidden]{display:none}small{color:#6b748a}small p{margin:1.25rem 0 0;color:inherit}' +
  '@media(prefers-color-scheme:dark){body{color:#e4e8f0;background:#12151b}main{background:#1b2029;border-color:#2c3442}' +
  'p,small{color:#a3adbf}a{background:#3b74e6}a:hover{background:#5a8bee}}';

/**
 * Goes on when told that the service is ready, and stays when told that the start failed: a reload would be another
 * start. Any error of the stream means: look again, in a way that starts nothing.
 */
const SCRIPT =
  "(()=>{const{href,pathname,search}=document.querySelector('a');" +
  "const watch='/.well-known/pilotlight/wait'+pathname+search;const source=new EventSource(watch);" +
  'const[waiting,failed]=document.querySelectorAll("section");' +
  "source.addEventListener('ready',()=>{source.close();" +
  'if(location.pathname===pathname&&location.search===search)location.reload();else location.replace(href)});' +
  "source.addEventListener('failed',()=>{source.close();waiting.hidden=true;failed.hidden=false;" +
  'document.title=failed.querySelector("h1").textContent});' +
  'source.onerror=()=>{source.close();setTimeout(()=>location.replace(watch),1000)}})()';

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const POLICY =
  `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; ` +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** Fields of every such page, beside its type. */
export const PAGE_FIELDS =
  `Content-Security-Policy: ${POLICY}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n` +
  'X-Robots-Tag: noindex\r\n';

/** Fields of a page's answer. */
export function pageFields(retryAfterSeconds: number): string {
  return `Content-Type: text/html; charset=utf-8\r\nRetry-After: ${retryAfterSeconds}\r\n${PAGE_FIELDS}`;
}

/**
 * A request target as a reference to this very host, whatever it begins with: to a browser `//` and `/\` would begin
 * another host's name (WHATWG URL, "relative slash state").
 */
export function samePlace(target: string): string {
  return /^\/[/\\]/.test(target) ? `/.${target}` : target;
}

/**
 * The page that a browser shows while a service starts. It goes on when told that the service is ready, and without
 * JavaScript looks every few seconds, where looking starts nothing; it loads nothing from elsewhere. When the start
 * failed it says so, and whoever reads it may try again.
 * @param target of the request that waits
 */
export function waitingPage(service: string, target: string, retryAfterSeconds: number): string {
  const name = escapeHtml(service);
  const look = `${retryAfterSeconds};url=${escapeHtml(PROGRESS_PREFIX + target)}`;
  return document(
    `Starting ${name}`,
    `<noscript><meta http-equiv="refresh" content="${look}"></noscript>`,
    `<section role="status"><h1>Starting ${name}</h1><p>This page goes on by itself as soon as the service answers.</p>` +
      `<progress aria-label="Starting"></progress></section><section role="alert" hidden>` +
      `${failure(service, target)}</section><script>${SCRIPT}</script>`,
  );
}

/**
 * The page of a service that does not run and is not being started: what a browser sees after a failed start.
 * @param requestId to find the request by in the operator's log
 */
export function failedPage(service: string, target: string, retryAfterSeconds: number, requestId: string): string {
  const when = `It can be tried again ${retryAfterSeconds > 1 ? `in ${retryAfterSeconds} seconds` : 'now'}.`;
  const id = `<small><p>Request ${escapeHtml(requestId)}</p></small>`;
  return document(failedTitle(service), '', `<section>${failure(service, target, when)}</section>${id}`);
}

function failure(service: string, target: string, when = ''): string {
  const words = `The service did not start. This page does not try it again by itself.${when === '' ? '' : ` ${when}`}`;
  return `<h1>${failedTitle(service)}</h1><p>${words}</p><a href="${escapeHtml(samePlace(target))}">Try again</a>`;
}

function failedTitle(service: string): string {
  return `${escapeHtml(service)} could not be started`;
}

function document(title: string, head: string, main: string): string {
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    `<meta name="viewport" content="width=device-width,initial-scale=1">${head}<title>${title}</title>` +
    `<style>${STYLE}</style></head><body><main>${main}</main></body></html>\n`
  );
}
