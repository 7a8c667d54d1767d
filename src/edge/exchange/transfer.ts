import type { ContentCoding } from '../../model/compress-settings.ts';
import { beginAnswer } from '../compress/begin-answer.ts';
import type { CodedAnswer, CodedOwner } from '../compress/coded-answer.ts';
import type { CompressionRule } from '../compress/compression-rule.ts';
import { Fault, type FaultText } from '../http1/faults.ts';
import { Framing } from '../http1/framing.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import type { Service } from '../service/service.ts';
import type { Carrier, UpstreamConsumer, UpstreamFailure } from '../upstream/carrier.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { AnswerJudge } from './answer-judge.ts';
import type { ExchangeContext } from './context.ts';
import type { FailedPhase, Failure } from './failure-policy.ts';
import { upstreamHead, upstreamTrailers } from './request-writer.ts';
import { prepareHead, prepareInterim } from './response-fields.ts';
import { mayReplay } from './retries.ts';
import { silenceMs } from './silence.ts';
import type { TransferOwner, Transferred } from './transferred.ts';
import { maySwitch, Tunnel } from './tunnel.ts';
import type { Turns } from './turns.ts';

/** `sent`: the request goes out, and no head came yet. `streaming`: the answer comes. `tunnel`: after a 101. */
type TransferPhase = 'none' | 'sent' | 'streaming' | 'tunnel';

/**
 * We send the 100 that a client waits for when the upstream said nothing for so long, ms. Upstreams of HTTP/1.0 know no
 * 100, others ignore the expectation, and some clients wait for ever (RFC 9110 §10.1.1).
 */
const CONTINUE_AFTER_MS = 1000;
/** Interim answers to a request: of more, no end is to be expected, and what a client does not take of them is kept. */
const MOST_INTERIMS = 100;

/**
 * Carries a request to a service on one connection, and the answer or a tunnel back. The object belongs to its
 * exchange, which uses it again for every attempt.
 */
export class Transfer implements UpstreamConsumer, CodedOwner, DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  method = '';
  readonly #request: Transferred;
  readonly #owner: TransferOwner;
  readonly #turns: Turns;
  readonly #context: ExchangeContext;
  #phase: TransferPhase = 'none';
  #service: Service | undefined;
  #endpoint: Endpoint | undefined;
  #connection: Carrier | undefined;
  #lastByteAt = 0;
  #tunnel: Tunnel | undefined;
  readonly #judge = new AnswerJudge();
  /** What the content of the answer goes through; undefined: it is sent as it is. */
  #coded: CodedAnswer | undefined;
  /** We told the client to go on. */
  #saidContinue = false;
  /** Interim answers that came. */
  #interims = 0;

  constructor(request: Transferred, owner: TransferOwner, turns: Turns, context: ExchangeContext) {
    this.#request = request;
    this.#owner = owner;
    this.#turns = turns;
    this.#context = context;
  }

  /** Begins with a new request. */
  begin(): void {
    this.method = this.#request.client.request.method;
    this.#saidContinue = false;
    this.#interims = 0;
  }

  get phase(): TransferPhase {
    return this.#phase;
  }

  get isTunnel(): boolean {
    return this.#phase === 'tunnel';
  }

  /** Pieces of the body are sent on as they come. */
  get takesBody(): boolean {
    return this.#phase === 'sent' || this.#phase === 'streaming';
  }

  /** It is a tunnel, and the service has ended its side. */
  get isHalfOver(): boolean {
    return this.#tunnel?.isHalfOver === true && this.#connection !== undefined;
  }

  /** Returns since when no byte passed for `streamMs`, the clock's ms; undefined: one did, or none is expected. */
  quietSince(now: number, streamMs: number): number | undefined {
    if (this.#phase !== 'streaming' && this.#phase !== 'tunnel') return undefined;
    const since = (this.#tunnel?.activeAt(this.#lastByteAt) ?? this.#lastByteAt) + streamMs;
    return now >= since ? since : undefined;
  }

  /** Closes its connection. That says nothing about the endpoint. */
  drop(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /** Tells the client of a tunnel that it is about to be closed. */
  sayGoingAway(): void {
    this.#tunnel?.sayGoingAway();
  }

  /** The transfer is over. */
  reset(): void {
    this.#context.deadlines.disarm(this);
    this.#phase = 'none';
    this.#connection = undefined;
    this.#tunnel = undefined;
    this.#coded?.close();
    this.#coded = undefined;
  }

  // ── request ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends the head and the part of the body that is here, in one write if that is small. @param now the clock's ms */
  start(service: Service, endpoint: Endpoint, connection: Carrier, now: number): void {
    const { client, retries, facts, body } = this.#request;
    this.#service = service;
    this.#endpoint = endpoint;
    this.#connection = connection;
    retries.reused = connection.uses > 0;
    connection.take(this);
    this.#phase = 'sent';
    retries.written = true;
    facts.connectedAt = now;
    facts.trace?.connected(now);
    const head = upstreamHead(this.#request, service, endpoint);
    const { done } = client.body;
    const { framing } = client.request;
    const keepsUp = body.sendAll(connection, head, framing, done, upstreamTrailers(this.#request));
    if (!connection.mayGiveBack && !mayReplay(client.request, service.policy)) body.forget();
    // When the whole body is here, reading goes on, to notice when the client leaves.
    if (done || keepsUp) client.resumeReading();
    else client.pauseReading();
    if (!done) this.#turns.upload(now, keepsUp);
    if (done || !keepsUp) this.#awaitUpstream(now);
    else this.#awaitBody(endpoint, now);
  }

  /** The upstream has to take what was sent, or to answer, in time. */
  #awaitUpstream(now: number): void {
    this.#context.deadlines.arm(this, (this.#service as Service).policy.timeouts.firstByteMs, now);
  }

  /** The client has to send more. Its connection watches how long that takes. */
  #awaitBody(endpoint: Endpoint, now: number): void {
    if (!this.#request.client.awaitsContinue) this.#letClientPause(now);
    else if (endpoint.isOld) this.#sayContinue();
    else this.#context.deadlines.arm(this, CONTINUE_AFTER_MS, now);
  }

  /** Its connection watches how long it takes to send more, unless it may take its time. */
  #letClientPause(now: number): void {
    if (!this.#request.client.mayPause) this.#context.deadlines.disarm(this);
    else this.#context.deadlines.arm(this, (this.#service as Service).policy.timeouts.tunnelMs, now);
  }

  #sayContinue(): void {
    this.#saidContinue = true;
    this.#request.client.sayContinue();
  }

  /** A piece of the body that came after the request went out. */
  sendPiece(bytes: Buffer, start: number, end: number): void {
    const { client, body } = this.#request;
    const connection = this.#connection;
    // The service has answered to the end, and the rest of the request is of no use to it.
    if (connection === undefined) return;
    const { framing } = client.request;
    const now = this.#context.clock.now();
    this.#lastByteAt = now;
    const piece = bytes.subarray(start, end);
    body.keepForReplay(piece);
    // Behind its last piece, the read can be freed. In a chunked body, the CRLF behind a chunk's data is no piece.
    const isLast = end === bytes.length || (framing === Framing.CHUNKED && end + 2 >= bytes.length);
    const keepsUp = connection.send(piece, framing, isLast && !body.isWhole ? bytes : undefined);
    if (!keepsUp) {
      client.pauseReading();
      this.#turns.awaitUpstream(now);
    }
    if (this.#phase !== 'sent') return;
    if (keepsUp) this.#letClientPause(now);
    else this.#awaitUpstream(now);
  }

  /** The body is complete. */
  sendEnd(): void {
    const { framing } = this.#request.client.request;
    if (this.#connection === undefined) return;
    this.#connection.sendEnd(framing, upstreamTrailers(this.#request));
    const now = this.#context.clock.now();
    this.#turns.endUpload(now);
    if (this.#phase === 'sent') this.#awaitUpstream(now);
  }

  onUpstreamDrain(): void {
    const { client } = this.#request;
    client.resumeReading();
    if (client.body.done) return;
    const now = this.#context.clock.now();
    this.#turns.awaitClient(now);
    if (this.#phase === 'sent') this.#letClientPause(now);
  }

  // ── answer ────────────────────────────────────────────────────────────────────────────────────────────────────────

  onResponseHead(connection: Carrier): void {
    const { response } = connection;
    if (response.status === 101) this.#switch(connection);
    else if (response.status < 200) this.#passInterim(response);
    else this.#passHead(response);
  }

  #passInterim(response: ResponseHead): void {
    const { client } = this.#request;
    if (++this.#interims > MOST_INTERIMS) {
      this.#fail('protocol', Fault.MANY_INTERIMS);
      return;
    }
    if (client.request.old) return;
    if (response.status === 100) {
      // Some clients take a second 100 for that of the next request.
      if (this.#saidContinue) return;
      client.onContinue();
      if (this.#phase === 'sent' && !client.body.done) this.#letClientPause(this.#context.clock.now());
    }
    prepareInterim(this.#request, response);
    client.answer.interim(response);
  }

  #passHead(response: ResponseHead): void {
    const { client, facts } = this.#request;
    const service = this.#service as Service;
    const endpoint = this.#endpoint as Endpoint;
    const now = this.#context.clock.now();
    // An answer before the end of the body says nothing about how long answers take.
    const ttfb = client.body.done ? this.#turns.waitedMs(now) : undefined;
    this.#phase = 'streaming';
    facts.firstByteAt = now;
    facts.status = response.status;
    facts.trace?.answered(response.status, now);
    this.#lastByteAt = now;
    this.watchSilence(now);
    if (this.#request.isLoad) {
      service.statistics.firstByte(ttfb);
      endpoint.recordAnswer(ttfb, facts.startedAt, this.#owner.isCalm);
    }
    endpoint.isOld = response.old;
    this.#judge.onHead(response, service, endpoint, this.#request.isLoad, this.#turns.clientDelayed(now));
    const added = prepareHead(this.#request, service, endpoint, response, this.#context.date);
    const rule = this.#request.route?.compression;
    if (rule === undefined) client.answer.head(response, added);
    else this.#coded = this.#beginCoded(rule, response, added);
    service.onFirstByte();
  }

  #beginCoded(rule: CompressionRule, response: ResponseHead, added: string): CodedAnswer | undefined {
    const { answer: writer, request } = this.#request.client;
    const limit = this.#context.compressions;
    const counts = (this.#service as Service).statistics.compression;
    return beginAnswer({ owner: this, rule, request, writer, response, added, limit, counts });
  }

  /** Content of the answer, or bytes of the tunnel. */
  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.#lastByteAt = this.#context.clock.now();
    if (this.#coded !== undefined) {
      if (!this.#coded.piece(bytes, start, end)) this.#connection?.pauseReading();
      return;
    }
    const keepsUp =
      this.#tunnel === undefined
        ? this.#request.client.answer.piece(bytes, start, end)
        : this.#tunnel.down(bytes, start, end, this.#lastByteAt);
    if (!keepsUp) this.#holdUp();
  }

  onReadEnd(): void {
    if (!(this.#coded ?? this.#request.client.answer).flush()) this.#holdUp();
  }

  /** The client does not take the answer as fast as it comes. */
  #holdUp(): void {
    if (this.#connection === undefined) return;
    this.#connection.pauseReading();
    this.#turns.awaitClient(this.#lastByteAt);
  }

  /** The client takes more of the answer again. */
  onClientDrain(): void {
    this.#lastByteAt = this.#context.clock.now();
    if (this.#connection === undefined) return;
    this.#turns.endWait(this.#lastByteAt);
    if (this.#coded === undefined || this.#coded.resume()) this.#connection.resumeReading();
  }

  onClientBehind(): void {
    this.#lastByteAt = this.#context.clock.now();
    this.#holdUp();
  }

  onEncoderDrain(): void {
    this.#connection?.resumeReading();
  }

  onCoding(coding: ContentCoding): void {
    this.#request.facts.encoding = coding;
  }

  onEncoded(): void {
    this.#request.onDone();
  }

  onEncoderFailure(): void {
    this.#fail('want');
  }

  onResponseEnd(connection: Carrier): void {
    const { client, facts, rules, isLoad } = this.#request;
    const endpoint = this.#endpoint as Endpoint;
    const trailers = client.request.trailers ? connection.trailers : '';
    const kept = rules === undefined ? trailers : rules.responseTrailers(trailers);
    const isWritten = this.#coded === undefined || this.#coded.end(kept);
    if (this.#coded === undefined) client.answer.end(kept);
    const now = this.#context.clock.now();
    connection.giveBack(client.body.done, now);
    this.#connection = undefined;
    const isDelayed = this.#turns.clientDelayed(now);
    const service = this.#service as Service;
    this.#judge.onEnd(facts.status, connection.trailers, service, endpoint, isLoad, isDelayed);
    if (isWritten) this.#request.onDone(now);
  }

  // ── tunnel ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #switch(connection: Carrier): void {
    const { client, facts } = this.#request;
    const { response } = connection;
    if (!maySwitch(client, response)) {
      this.#fail('unasked', Fault.UNASKED_SWITCH);
      return;
    }
    const service = this.#service as Service;
    const endpoint = this.#endpoint as Endpoint;
    const now = this.#context.clock.now();
    this.#phase = 'tunnel';
    facts.status = 101;
    facts.firstByteAt = now;
    facts.trace?.answered(101, now);
    this.#lastByteAt = now;
    connection.tunnel();
    this.#tunnel = new Tunnel(client, connection, service.policy.activity === 'data', now);
    this.#context.deadlines.arm(this, service.policy.timeouts.tunnelMs);
    const added = prepareHead(this.#request, service, endpoint, response, this.#context.date);
    client.answer.switchProtocols(response, added);
    service.trust.judge(endpoint, 'success');
    service.onFirstByte();
    const early = client.takePending();
    if (early !== undefined) this.sendRaw(early);
    if (client.hasEnded) this.#tunnel.passEnd();
    client.resumeReading();
  }

  /** Passes on bytes of the client in a tunnel. */
  sendRaw(chunk: Buffer): void {
    this.#lastByteAt = this.#context.clock.now();
    if (this.#connection !== undefined) this.#tunnel?.up(chunk, this.#lastByteAt);
  }

  /** The client has ended its side of a tunnel. */
  passEnd(): void {
    if (this.#connection !== undefined) this.#tunnel?.passEnd();
  }

  onTunnelEnd(): void {
    this.#request.client.answer.endTunnel();
  }

  // ── failure ───────────────────────────────────────────────────────────────────────────────────────────────────────

  onUpstreamFailure(connection: Carrier, failure: UpstreamFailure): void {
    if (this.#tunnel?.isHalfOver === true) {
      // The service had ended its side, so nothing broke. The client gets what it has not taken yet.
      this.#connection = undefined;
      this.#request.onDone();
      return;
    }
    this.#owner.noteFailure(connection, failure);
    const { retries } = this.#request;
    const { reused } = retries;
    retries.returned = failure === 'unprocessed';
    const isIdled = failure === 'reset' && reused && this.#phase === 'sent' && !connection.isAnswering;
    this.#fail(isIdled ? 'idled' : failure, failure === 'tls' ? Fault.HANDSHAKE : connection.fault);
  }

  #fail(failure: Failure, fault?: FaultText): void {
    const isInterim = this.#phase === 'sent' && this.#connection?.isAnswering === true;
    this.#owner.fail(failure, isInterim ? 'interim' : (this.#phase as FailedPhase), fault);
  }

  onDeadline(): void {
    if (this.#phase === 'streaming' || this.#phase === 'tunnel') this.#onSilence();
    else if (this.#request.client.awaitsContinue) this.#sayContinue();
    else this.#fail('timeout');
  }

  /** Nothing passed for too long: cuts the stream or the tunnel. */
  #onSilence(): void {
    const { client } = this.#request;
    const isLeft = this.#phase === 'streaming' && client.hasEnded && !(this.#service as Service).policy.allowHalfOpen;
    const limit = this.#silenceMs;
    const left = this.#lastByteAt + limit - this.#context.clock.now();
    if (left > 0) this.#context.deadlines.arm(this, left);
    else if (!isLeft) this.#fail('timeout');
    else if (client.answer.isBehind) this.#context.deadlines.arm(this, limit);
    else client.abort();
  }

  /** From now on, bytes have to pass in time. */
  watchSilence(now?: number): void {
    this.#context.deadlines.arm(this, this.#silenceMs, now);
  }

  get #silenceMs(): number {
    const { policy } = this.#service as Service;
    return silenceMs(policy, this.isTunnel || !this.#request.client.hasEnded, this.#request.isHalfClosed);
  }
}
