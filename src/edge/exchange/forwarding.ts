import { Field, type Head } from '../http1/head.ts';
import { addressIn, UNKNOWN_CLIENT } from '../io/client-address.ts';
import { forwardedElements, forwardedNode } from '../io/forwarded.ts';
import { hostOf, trimOws } from '../io/http-syntax.ts';
import type { ClientCertificate, Downstream, Peer } from './downstream.ts';

/** What a trusted proxy says of the client's connection, as far as it is sound; the first element of each list. */
interface Told {
  proto: string | undefined;
  port: string | undefined;
  host: string | undefined;
  realIp: string | undefined;
  subject: string | undefined;
  serial: string | undefined;
  fingerprint: string | undefined;
}

const NAMES: Record<string, [keyof Told, (element: string) => string | undefined]> = {
  'x-forwarded-proto': ['proto', soundProto],
  'x-forwarded-port': ['port', soundPort],
  'x-forwarded-host': ['host', (element) => (hostOf(element) === undefined ? undefined : element)],
  'x-forwarded-client-subject': ['subject', (element) => element],
  'x-forwarded-client-serial': ['serial', soundHex],
  'x-forwarded-client-fingerprint': ['fingerprint', soundHex],
  'x-real-ip': ['realIp', (element) => (addressIn(element) === undefined ? undefined : element)],
};

/**
 * Forwarding fields for the upstream, of a trusted peer: For is appended to, of the others exactly one is written each,
 * by what the peer says where that is sound. Proto and Port agree: who names a scheme and no port means the port of the
 * host that was asked for, or the scheme's own; port 443 without a scheme is https.
 */
export function trustedForwarding(client: Downstream, hostValue: string): string {
  const { request, peer } = client;
  const { forwardedFor, forwarded } = request;
  if (!request.isForwarded) return peer.forwardingFields(hostValue);
  const told = toldIn(request.head);
  const elements = forwarded === undefined ? undefined : forwardedElements(forwarded);
  const host = told.host ?? hostIn(elements) ?? hostValue;
  const toldProto = told.proto ?? protoIn(elements);
  const proto = toldProto ?? schemeBy(told.port, peer);
  const port = told.port ?? (toldProto === undefined ? peer.forwardedPort : portFor(host, proto));
  const realIp = told.realIp ?? peer.clientOf(request);
  let out = `X-Forwarded-For: ${forwardedFor === undefined ? peer.address : `${forwardedFor}, ${peer.address}`}\r\n`;
  if (realIp !== UNKNOWN_CLIENT) out += `X-Real-IP: ${realIp}\r\n`;
  out += `X-Forwarded-Proto: ${proto}\r\nX-Forwarded-Port: ${port}\r\nX-Forwarded-Host: ${host}\r\n`;
  // Who asks for certificates believes nobody else's word for them.
  out += certificateFields(peer.asksClients ? peer.tls?.client : told);
  // What cannot be read is not passed on: behind it nobody could tell what is ours.
  if (forwarded !== undefined)
    out += `Forwarded: ${elements === undefined ? '' : `${forwarded}, `}for=${forwardedNode(peer.address)}\r\n`;
  return out;
}

/** The fields that tell a service of a client's verified certificate. */
export function certificateFields(client: Partial<ClientCertificate | Told> | undefined): string {
  if (client?.subject === undefined) return '';
  const { subject, serial, fingerprint } = client;
  let out = `X-Forwarded-Client-Subject: ${subject}\r\n`;
  if (serial !== undefined) out += `X-Forwarded-Client-Serial: ${serial}\r\n`;
  if (fingerprint !== undefined) out += `X-Forwarded-Client-Fingerprint: ${fingerprint}\r\n`;
  return out;
}

/** By what scheme the client came, as a trusted peer says or as we saw: `http`, `https`, `ws`, `wss`. */
export function schemeOf({ request, peer }: Downstream): string {
  if (!peer.trusted || (!request.hasForwarding && request.forwarded === undefined)) return peer.scheme;
  const { proto, port } = toldIn(request.head);
  if (proto !== undefined) return proto;
  const elements = request.forwarded === undefined ? undefined : forwardedElements(request.forwarded);
  return protoIn(elements) ?? schemeBy(port, peer);
}

/** By what scheme the client came where nobody names it: as the port that is named has it, or as we saw. */
function schemeBy(port: string | undefined, peer: Peer): string {
  return port === undefined ? peer.scheme : port === '443' ? 'https' : 'http';
}

/** Takes what is told out of what is passed on as it came. */
function toldIn(head: Head): Told {
  const told: Told = {
    proto: undefined,
    port: undefined,
    host: undefined,
    realIp: undefined,
    subject: undefined,
    serial: undefined,
    fingerprint: undefined,
  };
  for (let index = 0; index < head.count; index++) {
    if (head.kind(index) !== Field.FORWARDING) continue;
    const known = NAMES[head.name(index).toLowerCase()];
    if (known === undefined) continue;
    head.drop(index);
    const [name, read] = known;
    // It is no list: commas part what a subject consists of.
    told[name] ??= name === 'subject' ? head.value(index) : firstSound(head.value(index), read);
  }
  return told;
}

function firstSound(list: string, read: (element: string) => string | undefined): string | undefined {
  let start = 0;
  while (start <= list.length) {
    const comma = list.indexOf(',', start);
    const end = comma < 0 ? list.length : comma;
    const sound = read(trimOws(list.slice(start, end)));
    if (sound !== undefined) return sound;
    start = end + 1;
  }
  return undefined;
}

function protoIn(elements: ReturnType<typeof forwardedElements>): string | undefined {
  for (const { proto } of elements ?? []) {
    const sound = proto === undefined ? undefined : soundProto(proto);
    if (sound !== undefined) return sound;
  }
  return undefined;
}

function hostIn(elements: ReturnType<typeof forwardedElements>): string | undefined {
  return elements?.find(({ host }) => host !== undefined && hostOf(host) !== undefined)?.host;
}

function soundProto(element: string): string | undefined {
  const proto = element.toLowerCase();
  return proto === 'https' || proto === 'http' || proto === 'wss' || proto === 'ws' ? proto : undefined;
}

function soundHex(element: string): string | undefined {
  return /^[0-9A-Fa-f]{1,64}$/.test(element) ? element.toUpperCase() : undefined;
}

function soundPort(element: string): string | undefined {
  return /^[1-9]\d{0,4}$/.test(element) && Number(element) <= 65535 ? element : undefined;
}

function portFor(host: string, proto: string): string {
  const inHost = /:(\d+)$/.exec(host)?.[1];
  if (inHost !== undefined && soundPort(inHost) !== undefined) return inHost;
  return proto === 'https' || proto === 'wss' ? '443' : '80';
}
