import { randomBytes } from 'node:crypto';
import type { ServicePolicy } from '../../../src/model/snapshot.ts';
import type { ListenChange } from '../../support/listen-settings.ts';
import { at, EdgeHarness, policy, type TableChange } from '../edge-harness.ts';
import { Origin, type Script, silent } from '../wire.ts';

/** Every connection leads to `app`. */
export const TO_APP = { service: 'app', sni: [] };

interface Setting {
  policy?: Parameters<typeof policy>[0];
  table?: TableChange;
  timeouts?: ListenChange['timeouts'];
  listen?: Omit<ListenChange, 'timeouts'>;
  others?: ServicePolicy[];
}

/** An edge whose listener leads to `app`, which sleeps. */
export function sleeping({ policy: change, table, timeouts, listen, others = [] }: Setting = {}): Promise<EdgeHarness> {
  const policies = [policy({ isTcp: true, ...change }), ...others];
  return EdgeHarness.start(policies, { routes: [], ...table }, timeouts, { tcp: TO_APP, ...listen });
}

/** The same with an origin that is ready. */
export async function spliced(
  setting: Setting = {},
  script: Script = silent,
): Promise<{ origin: Origin; edge: EdgeHarness }> {
  const origin = await Origin.listen(script);
  const edge = await sleeping(setting);
  edge.state({ endpoints: [at(origin)] });
  return { origin, edge };
}

/** An extension of a ClientHello that names a host (RFC 6066 §3). */
export function serverName(name: string): Buffer {
  const bytes = Buffer.from(name, 'latin1');
  return Buffer.concat([number(0, 2), vector(vector(Buffer.concat([number(0, 1), vector(bytes, 2)]), 2), 2)]);
}

/** Any other extension. */
export function extension(type: number, size = 8): Buffer {
  return Buffer.concat([number(type, 2), vector(randomBytes(size), 2)]);
}

/** A ClientHello with these extensions, as a handshake message. */
export function helloMessage(extensions: readonly Buffer[], sessionId = randomBytes(32)): Buffer {
  const body = Buffer.concat([
    number(0x0303, 2),
    randomBytes(32),
    vector(sessionId, 1),
    vector(Buffer.from([0x13, 1, 0x13, 2]), 2),
    vector(Buffer.from([0]), 1),
    vector(Buffer.concat(extensions), 2),
  ]);
  return Buffer.concat([number(1, 1), vector(body, 3)]);
}

/** A message in records of TLS, each with so many bytes of it. */
export function records(message: Buffer, size = message.length): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.concat([Buffer.from([22, 3, 1]), vector(message.subarray(at, at + size), 2)]));
  }
  return Buffer.concat(parts);
}

/** A whole ClientHello for a name. */
export function clientHello(name: string): Buffer {
  return records(helloMessage([extension(43), serverName(name), extension(51, 32)]));
}

/** Bytes with their length before them. */
export function vector(bytes: Buffer, width: number): Buffer {
  return Buffer.concat([number(bytes.length, width), bytes]);
}

export function number(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}
