/**
 * An HTTP app that behaves as its environment and the query of each request say, and writes down every request that
 * it saw. One file without dependencies, so that it runs as a process and inside any image that has Node 20 or newer.
 *
 * Environment (times in ms since this program began, unless said otherwise):
 *   PORT, HOST                  where to listen; PORT is required, HOST is all addresses by default
 *   MIMIC_LOG                   file that one JSON line per event is appended to
 *   MIMIC_LISTEN_MS             when the port opens (0)
 *   MIMIC_GATE                  beginning of the names of gates: a gate is open when the file of its name is there
 *   MIMIC_LISTEN_GATE           the port opens when this gate does
 *   MIMIC_READY_MS              when HTTP is ready; `never` for never (as soon as the port is open)
 *   MIMIC_BEFORE_READY          what an open port does before that: close | hang | 503 (503)
 *   MIMIC_EXIT_CODE, _EXIT_MS   exits with this code at that time (does not; 0)
 *   MIMIC_FAIL_FIRST, _COUNTER  the first so many starts exit with code 1; the starts are counted in that file
 *   MIMIC_CRASH_MS              exits with code 1 so long after it was ready (never)
 *   MIMIC_SICK_MS, _SICK_FIRST  so long after it was ready it answers 500 to everything, probes of / excepted (never); only
 *                               the first so many starts do so (all), which are counted in MIMIC_COUNTER
 *   MIMIC_LATENCY_MS            time to answer (0)
 *   MIMIC_LATENCY_PER_MS        added to it for every other request in flight (0)
 *   MIMIC_SLOTS                 requests served at once; more wait their turn inside the app (no limit)
 *   MIMIC_LIMIT                 requests that may be in flight at once; more are counted as violations (no limit)
 *   MIMIC_SHED_ABOVE            answers 503 at once while so many wait for a turn (never)
 *   MIMIC_ERROR_RATE            share of requests answered 500 (0)
 *   MIMIC_ROOT_STATUS           status at / (200)
 *   MIMIC_HEALTH_STATUS         status at /health (200)
 *   MIMIC_RESET                 once | always: resets the connection before the first byte, probes excepted
 *   MIMIC_DEPENDENCY            host:port of a TCP server; every request asks it and waits until it closes
 *   MIMIC_TERM_MS               from SIGTERM to the end; it serves on meanwhile (0)
 *   MIMIC_KEEP_ALIVE_MS         how long an idle connection is kept (60000)
 *
 * Query of any request: delay (ms, instead of the latency), gate (the answer, of a download its end, waits for it),
 * status, reset=1, size (bytes of the answer).
 * Paths: /echo (the body), /digest (length and SHA-256 of the body), /headers (what arrived), /download (bytes,
 * seconds), /chunked (chunks, every), /trailers, /sse (count, every), /health, /__mimic/stats, and a WebSocket echo at
 * every path. Requests without X-Test-Id are probes: recorded apart and not counted.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { connect, createServer as createNetServer } from 'node:net';

// An import would load undici, too, for more than half of what a start takes of the processor.
const { createServer: createHttpServer } = process.getBuiltinModule('node:http');

const env = process.env;
const number = (name, otherwise) => (env[name] === undefined || env[name] === '' ? otherwise : Number(env[name]));
const settings = {
  listenMs: number('MIMIC_LISTEN_MS', 0),
  readyMs: env['MIMIC_READY_MS'] === 'never' ? Number.POSITIVE_INFINITY : number('MIMIC_READY_MS', 0),
  beforeReady: env['MIMIC_BEFORE_READY'] ?? '503',
  exitCode: number('MIMIC_EXIT_CODE', undefined),
  exitMs: number('MIMIC_EXIT_MS', 0),
  failFirst: number('MIMIC_FAIL_FIRST', 0),
  crashMs: number('MIMIC_CRASH_MS', undefined),
  sickMs: number('MIMIC_SICK_MS', undefined),
  sickFirst: number('MIMIC_SICK_FIRST', Number.POSITIVE_INFINITY),
  latencyMs: number('MIMIC_LATENCY_MS', 0),
  latencyPerMs: number('MIMIC_LATENCY_PER_MS', 0),
  slots: number('MIMIC_SLOTS', Number.POSITIVE_INFINITY),
  limit: number('MIMIC_LIMIT', Number.POSITIVE_INFINITY),
  shedAbove: number('MIMIC_SHED_ABOVE', Number.POSITIVE_INFINITY),
  errorRate: number('MIMIC_ERROR_RATE', 0),
  rootStatus: number('MIMIC_ROOT_STATUS', 200),
  healthStatus: number('MIMIC_HEALTH_STATUS', 200),
  termMs: number('MIMIC_TERM_MS', 0),
};
const port = number('PORT', 0);
const boot = `${process.pid.toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
const counters = { requests: 0, probes: 0, inFlight: 0, maxInFlight: 0, violations: 0, resets: 0, errors: 0 };
const state = { ready: false, dying: false, sick: false, served: 0, waiting: [] };

/** Synchronous, so that what was seen is on disk even when this process is killed the moment after. */
function note(event, fields = {}) {
  if (env['MIMIC_LOG'] === undefined) return;
  const at = performance.timeOrigin + performance.now();
  appendFileSync(env['MIMIC_LOG'], `${JSON.stringify({ at, boot, pid: process.pid, port, event, ...fields })}\n`);
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until that gate is open. */
async function opened(gate) {
  while (!existsSync(`${env['MIMIC_GATE']}${gate}`)) await later(5);
}

function begin(request) {
  const id = request.headers['x-test-id'];
  const fields = { method: request.method, url: request.url, ready: state.ready, dying: state.dying };
  if (id === undefined) {
    counters.probes++;
    note('probe', fields);
    return { id: undefined, end() {} };
  }
  counters.requests++;
  counters.inFlight++;
  counters.maxInFlight = Math.max(counters.maxInFlight, counters.inFlight);
  if (counters.inFlight > settings.limit) counters.violations++;
  note('begin', { id, ...fields, inFlight: counters.inFlight });
  let open = true;
  const end = (outcome) => {
    if (!open) return;
    open = false;
    counters.inFlight--;
    note('end', { id, outcome });
  };
  return { id, end };
}

/** How far the time of a turn may lie back, ms: lateness of timers, but no time in which this process stood still. */
const LATENESS_MS = 50;

/**
 * Waits for a turn.
 * @returns when it began. That is when the one before was due: a late timer takes no capacity away.
 */
async function takeSlot() {
  const now = performance.now();
  if (state.served < settings.slots) {
    state.served++;
    return now;
  }
  const due = await new Promise((resolve) => state.waiting.push(resolve));
  return Math.max(now, due, performance.now() - LATENESS_MS);
}

/** @param due when the turn was to end */
function freeSlot(due) {
  const next = state.waiting.shift();
  if (next === undefined) state.served--;
  else next(due);
}

function latency(query) {
  if (query.has('delay')) return Number(query.get('delay'));
  return settings.latencyMs + settings.latencyPerMs * Math.max(0, counters.inFlight - 1);
}

/** Whether this request is one of those that fail: evenly spread, so that a rate of 0.5 fails every second one. */
function failsNow() {
  const before = Math.floor((counters.requests - 1) * settings.errorRate);
  return Math.floor(counters.requests * settings.errorRate) > before;
}

function resetsNow(query) {
  if (query.get('reset') === '1' || env['MIMIC_RESET'] === 'always') return true;
  return env['MIMIC_RESET'] === 'once' && counters.resets === 0;
}

function askDependency(id) {
  const [host, dependencyPort] = env['MIMIC_DEPENDENCY'].split(':');
  return new Promise((resolve) => {
    const socket = connect(Number(dependencyPort), host, () => socket.write(`${id}\n`));
    socket.on('error', () => undefined);
    socket.on('close', resolve);
    socket.resume();
  });
}

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function send(response, status, body, headers = {}) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const type = Buffer.isBuffer(body) ? 'application/octet-stream' : 'application/json';
  const always = { 'content-type': type, 'content-length': bytes.length, 'x-mimic-boot': boot, 'x-mimic-port': port };
  response.writeHead(status, { ...always, ...headers });
  response.end(bytes);
}

/** Waits until the response takes more, or is gone. */
function drained(response) {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

async function download(response, query) {
  const [bytes, seconds] = [Number(query.get('bytes') ?? 1_000_000), Number(query.get('seconds') ?? 0)];
  const steps = Math.max(1, Math.ceil(seconds * 10));
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
    'x-mimic-boot': boot,
  });
  response.flushHeaders();
  for (let step = 0, sent = 0; step < steps && !response.destroyed; step++) {
    if (step === steps - 1 && query.has('gate')) await opened(query.get('gate'));
    const until = step === steps - 1 ? bytes : Math.floor((bytes * (step + 1)) / steps);
    while (sent < until && !response.destroyed) {
      const size = Math.min(65_536, until - sent);
      sent += size;
      if (!response.write(Buffer.alloc(size, 120))) await drained(response);
    }
    if (step < steps - 1) await later((seconds * 1000) / (steps - 1));
  }
  response.end();
}

async function chunked(response, query) {
  response.writeHead(200, { 'content-type': 'text/plain', trailer: 'X-Check', 'x-mimic-boot': boot });
  const [chunks, every] = [Number(query.get('chunks') ?? 3), Number(query.get('every') ?? 0)];
  for (let index = 0; index < chunks && !response.destroyed; index++) {
    if (index > 0) await later(every);
    response.write(`chunk ${index}\n`);
  }
  response.addTrailers({ 'X-Check': 'complete' });
  response.end();
}

async function events(response, query) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-mimic-boot': boot });
  const [count, every] = [Number(query.get('count') ?? 3), Number(query.get('every') ?? 0)];
  for (let index = 0; index < count && !response.destroyed; index++) {
    if (index > 0) await later(every);
    response.write(`id: ${index}\ndata: event ${index}\n\n`);
  }
  response.end();
}

async function answer(request, response, path, query) {
  const about = { method: request.method, url: request.url, id: request.headers['x-test-id'] ?? null, boot, port };
  const status = query.has('status') ? Number(query.get('status')) : 200;
  switch (path) {
    case '/echo':
      return send(response, status, await readBody(request));
    case '/digest': {
      // Loaded here only: it would slow every start down.
      const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
      let bytes = 0;
      for await (const chunk of request) {
        bytes += chunk.length;
        hash.update(chunk);
      }
      return send(response, status, JSON.stringify({ bytes, sha256: hash.digest('hex') }));
    }
    case '/headers':
      return send(response, status, JSON.stringify({ ...about, rawHeaders: request.rawHeaders }));
    case '/download':
      return download(response, query);
    case '/chunked':
    case '/trailers':
      return chunked(response, query);
    case '/sse':
      return events(response, query);
    case '/health': {
      const health = state.sick ? 500 : settings.healthStatus;
      return send(response, health, JSON.stringify({ status: health }));
    }
    case '/':
      return send(response, query.has('status') ? status : settings.rootStatus, JSON.stringify(about));
    default:
      if (query.has('size')) return send(response, status, Buffer.alloc(Number(query.get('size')), 120));
      return send(response, status, JSON.stringify(about));
  }
}

async function serve(request, response) {
  try {
    await serveOne(request, response);
  } catch {
    // The client left while its body was read.
    response.destroy();
  }
}

async function serveOne(request, response) {
  const { pathname, searchParams: query } = new URL(request.url, 'http://mimic');
  if (pathname === '/__mimic/stats') return send(response, 200, JSON.stringify({ ...counters, ...state, boot }));
  const seen = begin(request);
  response.on('close', () => seen.end(response.writableFinished ? 'done' : 'aborted'));
  if (!state.ready) {
    if (settings.beforeReady === '503') send(response, 503, '{"status":"not ready yet"}');
    return;
  }
  if (seen.id === undefined) return answer(request, response, pathname, query);
  if (resetsNow(query)) {
    counters.resets++;
    request.socket.resetAndDestroy();
    return;
  }
  if (state.sick) return send(response, 500, '{"error":"sick"}');
  if (state.waiting.length >= settings.shedAbove) return send(response, 503, '{"error":"too much to do"}');
  let due = await takeSlot();
  try {
    if (env['MIMIC_DEPENDENCY'] !== undefined) {
      await askDependency(seen.id);
      due = performance.now();
    }
    due += latency(query);
    const pause = due - performance.now();
    if (pause > 0) await later(pause);
    if (query.has('gate') && pathname !== '/download') {
      await opened(query.get('gate'));
      due = performance.now();
    }
    if (!failsNow()) return await answer(request, response, pathname, query);
    counters.errors++;
    send(response, 500, '{"error":"as configured"}');
  } finally {
    freeSlot(due);
  }
}

/** The payload of a client's frame, unmasked; undefined until all of it is there. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  let [length, at] = [bytes[1] & 127, 2];
  if (length === 126 && bytes.length >= 4) [length, at] = [bytes.readUInt16BE(2), 4];
  else if (length === 127 && bytes.length >= 10) [length, at] = [Number(bytes.readBigUInt64BE(2)), 10];
  else if (length > 125) return undefined;
  const masked = (bytes[1] & 128) !== 0;
  const start = at + (masked ? 4 : 0);
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (masked) for (let index = 0; index < length; index++) payload[index] ^= bytes[at + (index % 4)];
  return { first: bytes[0], payload, size: start + length };
}

function frame(first, payload) {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** A WebSocket that sends back every message, answers pings, and closes when asked to. */
function upgrade(request, socket, head) {
  const seen = begin(request);
  socket.on('error', () => undefined);
  socket.on('close', () => seen.end('done'));
  const key = request.headers['sec-websocket-key'];
  if (!state.ready || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const hash = process.getBuiltinModule('node:crypto').createHash('sha1');
  const accept = hash.update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, `X-Mimic-Boot: ${boot}`, '', ''].join('\r\n'));
  let pending = Buffer.alloc(0);
  const take = (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    for (let next = readFrame(pending); next !== undefined; next = readFrame(pending)) {
      pending = pending.subarray(next.size);
      const opcode = next.first & 15;
      if (opcode === 8) socket.end(frame(0x88, next.payload));
      else if (opcode === 9) socket.write(frame(0x8a, next.payload));
      else if (opcode !== 10) socket.write(frame(next.first, next.payload));
    }
  };
  take(head);
  socket.on('data', take);
}

/** The how-manieth start this is; told by those whose first starts are to differ. */
function countStart() {
  appendFileSync(env['MIMIC_COUNTER'], '.');
  return readFileSync(env['MIMIC_COUNTER'], 'utf8').length;
}

/** What is to happen to this one some time after it is ready. */
function ail() {
  if (settings.crashMs !== undefined) setTimeout(() => leave(1), settings.crashMs);
  if (settings.sickMs === undefined || ordinal > settings.sickFirst) return;
  setTimeout(() => {
    state.sick = true;
    note('sick');
  }, settings.sickMs);
}

function leave(code) {
  note('exit', { code });
  process.exit(code);
}

function listen() {
  const http = createHttpServer({ keepAliveTimeout: number('MIMIC_KEEP_ALIVE_MS', 60_000), requestTimeout: 0 }, serve);
  http.on('upgrade', upgrade);
  // A server of its own accepts, so that a connection can be closed before HTTP hears of it.
  const server = createNetServer((socket) => {
    if (!state.ready && settings.beforeReady === 'close') socket.destroy();
    else http.emit('connection', socket);
  });
  server.on('error', (error) => {
    if (error.code === 'EADDRINUSE') note('clash');
    console.error(`cannot listen on port ${port}: ${error.message}`);
    leave(1);
  });
  const onListening = () => {
    note('listening');
    const becomeReady = () => {
      state.ready = true;
      note('ready');
      ail();
    };
    const wait = settings.readyMs - performance.now() + begunAt;
    if (wait <= 0) becomeReady();
    else if (Number.isFinite(wait)) setTimeout(becomeReady, wait);
  };
  server.listen(port, env['HOST'] ?? '0.0.0.0', onListening);
}

const begunAt = performance.now();
// Before the boot is noted: whoever has read of it may send the signal.
process.on('SIGTERM', () => {
  if (state.dying) return;
  state.dying = true;
  note('term', { inFlight: counters.inFlight });
  if (settings.termMs > 0) setTimeout(() => leave(0), settings.termMs);
  else leave(0);
});
note('boot');
const isCounted = settings.failFirst > 0 || Number.isFinite(settings.sickFirst);
const ordinal = isCounted ? countStart() : 1;
if (ordinal <= settings.failFirst) leave(1);
if (settings.exitCode !== undefined) {
  if (settings.exitMs === 0) {
    console.error('leaving as configured');
    leave(settings.exitCode);
  }
  setTimeout(() => leave(settings.exitCode), settings.exitMs);
}
if (env['MIMIC_LISTEN_GATE'] !== undefined) opened(env['MIMIC_LISTEN_GATE']).then(listen);
else if (settings.listenMs > 0) setTimeout(listen, settings.listenMs);
else listen();
