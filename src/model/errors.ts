/** Who is to blame: the client, what stands behind the proxy, or the proxy itself. */
export type ErrorSource = 'client' | 'upstream' | 'internal';

interface ErrorKind {
  source: ErrorSource;
  /** Whether trying the same thing again, unchanged, is safe and may help. */
  retrySafe: boolean;
}

/** Every error of the control side, by its stable code. The answers that clients get are in `model/refusals.ts`. */
export const errorKinds = {
  USAGE: { source: 'client', retrySafe: false },
  CONFIG_NOT_FOUND: { source: 'client', retrySafe: false },
  CONFIG_INVALID: { source: 'client', retrySafe: false },
  PASSWORD_UNUSABLE: { source: 'client', retrySafe: false },
  ADDRESS_IN_USE: { source: 'client', retrySafe: true },
  ADDRESS_FORBIDDEN: { source: 'client', retrySafe: false },
  CERTIFICATE_UNUSABLE: { source: 'client', retrySafe: false },
  /** An authority cannot be reached, or its answers make no sense. */
  ACME_UNREACHABLE: { source: 'upstream', retrySafe: true },
  /** An authority refuses, and says why. */
  ACME_REFUSED: { source: 'upstream', retrySafe: true },
  STATE_LOCKED: { source: 'client', retrySafe: true },
  STATE_UNUSABLE: { source: 'client', retrySafe: false },
  /** A new process takes over: what is asked of the one before would be lost. */
  HANDING_OVER: { source: 'client', retrySafe: true },
  UPGRADE_FAILED: { source: 'client', retrySafe: true },
  SERVICE_UNKNOWN: { source: 'client', retrySafe: false },
  /** The service has no endpoint at that address. */
  ENDPOINT_UNKNOWN: { source: 'client', retrySafe: false },
  /** A replica starts, or is being stopped: it is too soon or too late to take it out, or to have it back. */
  REPLICA_NOT_READY: { source: 'client', retrySafe: true },
  SCALE_OUT_OF_BOUNDS: { source: 'client', retrySafe: false },
  SERVICE_NOT_RUNNABLE: { source: 'client', retrySafe: false },
  ADMIN_UNREACHABLE: { source: 'client', retrySafe: true },
  ADMIN_REFUSED: { source: 'client', retrySafe: false },
  RUNTIME_UNREACHABLE: { source: 'upstream', retrySafe: true },
  RUNTIME_FORBIDDEN: { source: 'upstream', retrySafe: false },
  /** The engine is none that places replicas: it is in no fleet, or does what others say. */
  NOT_A_MANAGER: { source: 'upstream', retrySafe: true },
  /** No host of a fleet may take the replica, or has what it asks for. */
  NO_NODE_FITS: { source: 'upstream', retrySafe: true },
  /** The host on which a replica was being started is gone. */
  HOST_LOST: { source: 'upstream', retrySafe: true },
  RUNTIME_FAILED: { source: 'upstream', retrySafe: true },
  IMAGE_MISSING: { source: 'upstream', retrySafe: false },
  CONTAINER_MISSING: { source: 'upstream', retrySafe: false },
  MOUNT_MISSING: { source: 'upstream', retrySafe: false },
  COMMAND_NOT_FOUND: { source: 'upstream', retrySafe: false },
  PORT_CLASH: { source: 'upstream', retrySafe: true },
  REPLICA_EXITED: { source: 'upstream', retrySafe: true },
  OUT_OF_MEMORY: { source: 'upstream', retrySafe: true },
  READY_TIMEOUT: { source: 'upstream', retrySafe: true },
  SPEAKS_TLS: { source: 'upstream', retrySafe: false },
  IDENTITY_CHANGED: { source: 'upstream', retrySafe: true },
  DISCOVERY_UNREACHABLE: { source: 'upstream', retrySafe: true },
  DISCOVERY_FAILED: { source: 'upstream', retrySafe: true },
  /** A source leaves out what we may not see. */
  DISCOVERY_DENIED: { source: 'upstream', retrySafe: true },
  /** Nobody leads the cluster, or the leader does not answer. */
  CLUSTER_UNLED: { source: 'upstream', retrySafe: true },
  /** This member has led, and its right to act is over. */
  CLUSTER_RIGHT_LOST: { source: 'internal', retrySafe: true },
  CLUSTER_SECRET_WRONG: { source: 'client', retrySafe: true },
  /** At the address of a member is one of another cluster, or another member. */
  CLUSTER_OTHER: { source: 'client', retrySafe: true },
  /** Two versions of the program do not understand each other. */
  CLUSTER_VERSION: { source: 'client', retrySafe: true },
  CLUSTER_LINK_FAILED: { source: 'upstream', retrySafe: true },
  /** What came over the link of two members makes no sense. */
  CLUSTER_PROTOCOL: { source: 'upstream', retrySafe: true },
  CANCELLED: { source: 'internal', retrySafe: true },
  INTERNAL: { source: 'internal', retrySafe: false },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** The one error class. `message` is one line for an operator and never goes to a client of the proxy. */
export class PilotlightError extends Error {
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly retrySafe: boolean;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PilotlightError';
    this.code = code;
    this.source = errorKinds[code].source;
    this.retrySafe = errorKinds[code].retrySafe;
  }
}

/** Anything thrown, as a PilotlightError: itself, or wrapped under `code` (INTERNAL unless told) with the cause kept. */
export function toPilotlightError(thrown: unknown, code: ErrorCode = 'INTERNAL'): PilotlightError {
  if (thrown instanceof PilotlightError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new PilotlightError(code, text.split('\n', 1)[0] ?? text, thrown);
}
