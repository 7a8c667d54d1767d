import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';

/** The answer of the engine: `json` is set if the body is one JSON value, `text` always. */
interface DockerAnswer<T> {
  status: number;
  json: T;
  text: string;
}

/** A body is sent as JSON, or as a tar archive if it is bytes or a stream. */
export type DockerCall = <T = unknown>(method: string, path: string, body?: unknown) => Promise<DockerAnswer<T>>;

interface ContainerSummary {
  Id: string;
  Names: string[];
  Image: string;
  State: string;
  Labels: Record<string, string>;
}

/** The label that every container of the tests carries; its value is the run it belongs to. */
export const TEST_LABEL = 'pilotlight.test';

const CALL_TIMEOUT_MS = 60_000;
/** A build runs commands, package downloads among them. */
const BUILD_TIMEOUT_MS = 600_000;

/** A client of the Engine API that says no more than the tests need. Any status is an answer, not an error. */
export function dockerApi(socket: string): DockerCall {
  return async <T>(method: string, path: string, body?: unknown): Promise<DockerAnswer<T>> => {
    const { status, bytes } = await send(socket, method, path, body);
    const text = bytes.toString();
    return { status, text, json: parseJson(text) as T };
  };
}

/** Whether an engine answers on that socket. */
export async function engineAnswers(socket: string): Promise<boolean> {
  return dockerApi(socket)('GET', '/_ping').then(
    (answer) => answer.status === 200,
    () => false,
  );
}

/** All containers, also stopped ones, with a label: `name` or `name=value`. */
export async function listContainers(docker: DockerCall, label?: string): Promise<ContainerSummary[]> {
  const filters = encodeURIComponent(JSON.stringify(label === undefined ? {} : { label: [label] }));
  return expectStatus(await docker<ContainerSummary[]>('GET', `/containers/json?all=1&filters=${filters}`), 200).json;
}

/** Kills and removes containers with their volumes; those that are gone already are no error. */
export async function removeContainers(docker: DockerCall, label?: string): Promise<void> {
  const containers = await listContainers(docker, label);
  await Promise.all(containers.map(({ Id }) => docker('DELETE', `/containers/${Id}?force=1&v=1`)));
}

/** Creates and starts a container; `spec` is the body of `POST /containers/create`. Returns its id. */
export async function startContainer(docker: DockerCall, spec: Record<string, unknown>): Promise<string> {
  const { json } = expectStatus(await docker<{ Id: string }>('POST', '/containers/create', spec), 201);
  expectStatus(await docker('POST', `/containers/${json.Id}/start`), 204);
  return json.Id;
}

/** Waits for a container's end and returns its exit code. */
export async function containerExit(docker: DockerCall, id: string): Promise<number> {
  return expectStatus(await docker<{ StatusCode: number }>('POST', `/containers/${id}/wait`), 200).json.StatusCode;
}

/** What a container printed, stdout and stderr together. */
export async function containerLogs(socket: string, id: string): Promise<string> {
  const { bytes } = await send(socket, 'GET', `/containers/${id}/logs?stdout=1&stderr=1`);
  const texts: string[] = [];
  // Without a terminal each piece comes in a frame: stream, three zeros, length (big-endian), then the bytes.
  for (let at = 0; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    texts.push(bytes.toString('utf8', at + 8, end));
    at = end;
  }
  return texts.join('');
}

/** Throws with the engine's own words unless it answered as expected, also where it reports an error inside a 200. */
export function expectStatus<T>(answer: DockerAnswer<T>, expected: number): DockerAnswer<T> {
  const failed = answer.status !== expected || answer.text.includes('"errorDetail"');
  if (failed) throw new Error(`Docker answered ${answer.status}: ${answer.text.trim().slice(-1000)}`);
  return answer;
}

interface RawAnswer {
  status: number;
  bytes: Buffer;
}

function send(socketPath: string, method: string, path: string, body?: unknown): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const archive = Buffer.isBuffer(body) || isStream(body);
    const headers = body === undefined ? {} : { 'content-type': archive ? 'application/x-tar' : 'application/json' };
    const signal = AbortSignal.timeout(path.startsWith('/build') ? BUILD_TIMEOUT_MS : CALL_TIMEOUT_MS);
    const call = request({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      collect(response).then((bytes) => resolve({ status: response.statusCode ?? 0, bytes }), reject);
    });
    call.on('error', (cause) => reject(new Error(`Docker: ${method} ${path} failed: ${cause.message}`, { cause })));
    if (isStream(body)) {
      body.on('error', (cause) => call.destroy(cause));
      body.pipe(call);
    } else {
      call.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    }
  });
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
