import { createHash } from 'node:crypto';
import type { SharedFiles } from '../../../model/cluster.ts';
import { PilotlightError } from '../../../model/errors.ts';
import { type Frame, Kind, packBytes, unpack } from './frame.ts';
import type { Peer } from './peer.ts';

/** Files pass in pieces, between which other frames go; bytes. */
const CHUNK_BYTES = 128 * 1024;
/** Largest file, bytes. */
const MAX_FILE = 128 * 2 ** 20;

interface Shipped {
  content: Buffer;
  hash: string;
}

interface FileHead {
  path: string;
  size: number;
  hash: string;
}

type Take = Parameters<SharedFiles['onFile']>[0];

interface Incoming {
  head: FileHead;
  chunks: Buffer[];
  size: number;
}

/** Files that the leader has and the members have copies of: only what differs is sent, one file after the other. */
export class Files implements SharedFiles {
  readonly #shipped = new Map<string, Shipped>();
  readonly #shipments = new Set<Shipment>();
  /** Hash of the copy that this member has, by path. */
  readonly #copies = new Map<string, string>();
  #take: Take | undefined;
  #incoming: Incoming | undefined;

  ship(path: string, content: Uint8Array): void {
    const bytes = Buffer.from(content);
    if (bytes.length > MAX_FILE) {
      throw new PilotlightError('INTERNAL', `${path} has ${bytes.length} bytes, and ${MAX_FILE} is the most`);
    }
    const hash = hashOf(bytes);
    // Its own copy is as it is, should another one lead next.
    this.#copies.set(path, hash);
    if (this.#shipped.get(path)?.hash === hash) return;
    this.#shipped.set(path, { content: bytes, hash });
    for (const shipment of this.#shipments) shipment.add(path);
  }

  get isSending(): boolean {
    return [...this.#shipments].some(({ isSending }) => isSending);
  }

  onFile(take: Take): void {
    this.#take = take;
  }

  /** This member does not lead any more: what it had to ship is of no use. */
  resign(): void {
    this.#shipped.clear();
  }

  /** Tells the leader what this member has. */
  report(peer: Peer): void {
    this.#incoming = undefined;
    peer.send(Kind.FILES, 0, Object.fromEntries(this.#copies));
  }

  /** Begins to send a member what it has not. */
  open(peer: Peer): Shipment {
    const shipment = new Shipment(peer, this.#shipped, () => this.#shipments.delete(shipment));
    this.#shipments.add(shipment);
    return shipment;
  }

  /** A frame of the leader. @returns whether it was about a file @throws CLUSTER_PROTOCOL where it makes no sense */
  onFrame(frame: Frame): boolean {
    if (frame.kind === Kind.FILE) this.#begin(unpack(frame) as FileHead);
    else if (frame.kind === Kind.CHUNK) this.#add(frame.content);
    else return false;
    return true;
  }

  #begin(head: FileHead): void {
    if (!(head.size <= MAX_FILE)) throw new PilotlightError('CLUSTER_PROTOCOL', 'a file that is too large');
    const incoming = { head, chunks: [], size: 0 };
    this.#incoming = incoming;
    if (head.size === 0) this.#finish(incoming);
  }

  #add(chunk: Buffer): void {
    const incoming = this.#incoming;
    if (incoming === undefined) throw new PilotlightError('CLUSTER_PROTOCOL', 'a piece of no file');
    // A piece lies in memory of the connection, which is used again.
    incoming.chunks.push(Buffer.from(chunk));
    incoming.size += chunk.length;
    if (incoming.size >= incoming.head.size) this.#finish(incoming);
  }

  #finish({ head, chunks }: Incoming): void {
    this.#incoming = undefined;
    const content = Buffer.concat(chunks);
    if (hashOf(content) !== head.hash) throw new PilotlightError('CLUSTER_PROTOCOL', `${head.path} did not come whole`);
    this.#copies.set(head.path, head.hash);
    this.#take?.(head.path, content);
  }
}

/** What one member still has to get. */
export class Shipment {
  readonly #peer: Peer;
  readonly #shipped: ReadonlyMap<string, Shipped>;
  readonly #forget: () => void;
  readonly #waiting = new Set<string>();
  /** What the member has, by path; undefined: it has not said. */
  #has: Map<string, string> | undefined;
  #isSending = false;

  constructor(peer: Peer, shipped: ReadonlyMap<string, Shipped>, forget: () => void) {
    this.#peer = peer;
    this.#shipped = shipped;
    this.#forget = forget;
  }

  get isSending(): boolean {
    return this.#isSending;
  }

  /** @returns whether the frame was about files */
  onFrame(frame: Frame): boolean {
    if (frame.kind !== Kind.FILES) return false;
    this.#has = new Map(Object.entries(unpack(frame) as Record<string, string>));
    for (const path of this.#shipped.keys()) this.add(path);
    return true;
  }

  add(path: string): void {
    if (this.#has === undefined || this.#has.get(path) === this.#shipped.get(path)?.hash) return;
    this.#waiting.add(path);
    if (!this.#isSending) this.#next();
  }

  close(): void {
    this.#waiting.clear();
    this.#isSending = false;
    this.#forget();
  }

  #next(): void {
    const [path] = this.#waiting;
    this.#isSending = path !== undefined;
    if (path === undefined) return;
    this.#waiting.delete(path);
    const shipped = this.#shipped.get(path);
    if (shipped === undefined) {
      this.#next();
      return;
    }
    const { content, hash } = shipped;
    this.#has?.set(path, hash);
    const head: FileHead = { path, size: content.length, hash };
    this.#peer.send(Kind.FILE, 0, head);
    this.#pieces(content, 0);
  }

  #pieces(content: Buffer, from: number): void {
    if (from >= content.length) {
      this.#next();
      return;
    }
    this.#peer.sendPacked(Kind.CHUNK, 0, packBytes(content.subarray(from, from + CHUNK_BYTES)));
    this.#peer.whenDrained(() => this.#pieces(content, from + CHUNK_BYTES));
  }
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('base64url');
}
