import { type RefusalCode, refusals } from '../../model/refusals.ts';

/** Codes of gRPC by which we refuse. */
const Grpc = {
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

const BY_STATUS: Record<number, number> = {
  400: Grpc.INVALID_ARGUMENT,
  401: Grpc.UNAUTHENTICATED,
  403: Grpc.PERMISSION_DENIED,
  404: Grpc.UNIMPLEMENTED,
  405: Grpc.UNIMPLEMENTED,
  413: Grpc.RESOURCE_EXHAUSTED,
  414: Grpc.INVALID_ARGUMENT,
  429: Grpc.RESOURCE_EXHAUSTED,
  431: Grpc.INVALID_ARGUMENT,
  501: Grpc.UNIMPLEMENTED,
  502: Grpc.UNAVAILABLE,
  503: Grpc.UNAVAILABLE,
  504: Grpc.UNAVAILABLE,
};

/** Whether content of this type is gRPC; that of gRPC-Web is not. */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;\s]|$)/i.test(contentType);
}

/** Returns the field lines by which a client of gRPC is refused: all there is of the answer (Trailers-Only). */
export function grpcRefusal(code: RefusalCode): string {
  const { status, detail } = refusals[code];
  const grpc = code === 'HOLD_DEADLINE' ? Grpc.DEADLINE_EXCEEDED : (BY_STATUS[status] ?? Grpc.UNKNOWN);
  return `Content-Type: application/grpc\r\ngrpc-status: ${grpc}\r\ngrpc-message: ${detail}\r\n`;
}

const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Reads `grpc-timeout`: the time that a client gives its request, ms; undefined where it gives none, or no valid one. */
export function grpcTimeoutMs(value: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value ?? '') ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (UNIT_MS[unit] as number);
}
