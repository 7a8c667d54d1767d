import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';
import { notFound, type Problem, sendProblem } from './problem.ts';

/** Where the pages of the dashboard lie, built or not, as this file is. */
const FOLDER = join(import.meta.dirname, '../dashboard');
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};
/** What comes from a package, by the name under which it is served. */
const PACKAGED: Record<string, string> = {
  'uplot.js': 'uplot/dist/uPlot.iife.min.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
};
/**
 * Nothing but what is served here is loaded, run or called; nobody frames the page, and no text becomes markup.
 * (CSP3, Trusted Types)
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
const COMMON = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

interface Assets {
  page: string;
  /** Digest of all of them: part of their address, so that they may be kept for ever. */
  version: string;
  byName: ReadonlyMap<string, { type: string; body: string }>;
}

/** The pages for a browser. They hold no secrets, and are read when they are first asked for. */
export class Dashboard {
  #assets: Assets | undefined;

  /** Answers with the page. @param refusal why no more than this is shown: the page asks for a token itself */
  page(response: ServerResponse, refusal?: Problem): void {
    this.#assets ??= readAssets();
    send(response, refusal?.status ?? 200, this.#assets.page, {
      ...refusal?.headers,
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': POLICY,
    });
  }

  /** Answers with what the page loads. @param path `VERSION/NAME` */
  asset(response: ServerResponse, path: string): void {
    this.#assets ??= readAssets();
    const [version, name = ''] = path.split('/');
    const asset = version === this.#assets.version ? this.#assets.byName.get(name) : undefined;
    if (asset === undefined) sendProblem(response, notFound);
    else
      send(response, 200, asset.body, {
        'Content-Type': asset.type,
        'Cache-Control': 'public, max-age=31536000, immutable',
      });
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string>): void {
  response.writeHead(status, { ...COMMON, ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function readAssets(): Assets {
  const byName = new Map<string, { type: string; body: string }>();
  const resolve = createRequire(import.meta.url).resolve;
  for (const [name, path] of Object.entries(PACKAGED)) {
    byName.set(name, { type: TYPES[extname(name)] as string, body: readFileSync(resolve(path), 'utf8') });
  }
  for (const name of readdirSync(FOLDER).sort()) {
    const type = TYPES[extname(name)];
    if (type === undefined || name.endsWith('.d.ts')) continue;
    const text = readFileSync(join(FOLDER, name), 'utf8');
    byName.set(name, { type, body: name.endsWith('.ts') ? withoutTypes(text) : text });
  }
  const hash = createHash('sha256');
  for (const [name, { body }] of byName) hash.update(`${name}\0${body}\0`);
  const version = hash.digest('hex').slice(0, 16);
  return { byName, version, page: pageOf(version, [...byName.keys()]) };
}

function pageOf(version: string, names: readonly string[]): string {
  const at = (name: string) => `dashboard/${version}/${name}`;
  const modules = names.filter((name) => /\.(ts|js)$/.test(name) && !(name in PACKAGED));
  const [main] = modules.filter((name) => name.startsWith('main.'));
  return readFileSync(join(FOLDER, 'index.html'), 'utf8').replace(
    '<!-- assets -->',
    [
      ...names.filter((name) => name.endsWith('.css')).map((name) => `<link rel="stylesheet" href="${at(name)}">`),
      ...modules.map((name) => `<link rel="modulepreload" href="${at(name)}">`),
      `<script src="${at('uplot.js')}" defer></script>`,
      `<script type="module" src="${at(main as string)}"></script>`,
    ].join('\n'),
  );
}

/** In a checkout, what runs in a browser is not built either. Node warns once that its function may change. */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
