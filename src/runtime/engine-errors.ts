import { PilotlightError } from '../model/errors.ts';

/** What dockerode rejects with: an answer with an unexpected status, or a connection that failed. */
interface EngineFailure {
  statusCode?: number;
  json?: unknown;
  code?: string;
  message?: string;
  /** Method and path of the call. */
  call?: string | undefined;
}

/** The status of an answer that says no; undefined when there was no answer. */
export function statusOf(thrown: unknown): number | undefined {
  const cause = thrown instanceof PilotlightError ? thrown.cause : thrown;
  return (cause as EngineFailure | null | undefined)?.statusCode;
}

/** What the engine at `place` said or did not say, as the one error that control knows, in one line. */
export function toEngineError(thrown: unknown, place: string): PilotlightError {
  if (thrown instanceof PilotlightError) return thrown;
  const failure = (thrown ?? {}) as EngineFailure;
  const text = firstLine(messageOf(failure));
  if (failure.statusCode === undefined) return connectionError(failure, text, place, thrown);
  if (failure.statusCode === 403) {
    const call = failure.call === undefined ? '' : `${failure.call}: `;
    // What stands before an engine may refuse with a page.
    const words = text.startsWith('<') ? '' : ` ${text}`;
    return new PilotlightError('RUNTIME_FORBIDDEN', `the Docker engine at ${place} refuses ${call}403${words}`, thrown);
  }
  const image = /no such image: (\S+?)(?=:?\s|:?$)/i.exec(text)?.[1];
  if (image !== undefined) {
    return new PilotlightError('IMAGE_MISSING', `no such image: ${image} (pull or build it first)`, thrown);
  }
  const source = missingSource(text);
  if (source !== undefined) {
    return new PilotlightError(
      'MOUNT_MISSING',
      `${source}, which volumes names, does not exist on the engine's machine`,
      thrown,
    );
  }
  if (/no such container/i.test(text)) return new PilotlightError('CONTAINER_MISSING', text, thrown);
  if (/port is already allocated|address already in use/i.test(text)) {
    return new PilotlightError('PORT_CLASH', text, thrown);
  }
  if (isCommandMissing(text)) return new PilotlightError('COMMAND_NOT_FOUND', text, thrown);
  return new PilotlightError('RUNTIME_FAILED', `Docker: ${text}`, thrown);
}

function connectionError(failure: EngineFailure, text: string, place: string, cause: unknown): PilotlightError {
  switch (failure.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new PilotlightError('RUNTIME_UNREACHABLE', `no Docker engine at ${place}`, cause);
    case 'EACCES':
    case 'EPERM':
      return new PilotlightError('RUNTIME_FORBIDDEN', `no right to use the Docker engine at ${place}`, cause);
    default:
      return new PilotlightError(
        'RUNTIME_UNREACHABLE',
        `the Docker engine at ${place} does not answer: ${text}`,
        cause,
      );
  }
}

/** The source of a bind mount that is not there: at the creation, or (it was there then) at the start. */
function missingSource(text: string): string | undefined {
  return (
    /bind source path does not exist: (.+?)"?$/i.exec(text)?.[1] ??
    /mounting "([^"]+)" to rootfs .*(?:no such file or directory|not a directory)/i.exec(text)?.[1]
  );
}

/** What runc says when the entry point is not a program. */
function isCommandMissing(text: string): boolean {
  return (
    /executable file not found/i.test(text) || /exec: ".*": .*(no such file or directory|permission denied)/i.test(text)
  );
}

/** The engine's own words where there are any: dockerode wraps them in its own. */
function messageOf({ json, message }: EngineFailure): string {
  if (typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string') {
    return json.message;
  }
  return Buffer.isBuffer(json) && json.length > 0 ? json.toString('utf8') : (message ?? 'unknown failure');
}

function firstLine(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '').slice(0, 500);
}
