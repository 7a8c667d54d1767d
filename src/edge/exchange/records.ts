import { accessRecord, type ExchangeFacts } from '../answer/access-record.ts';
import type { Route } from '../route/route-compiler.ts';
import type { ExchangeContext } from './context.ts';
import type { Downstream } from './downstream.ts';
import type { Retries } from './retries.ts';

/** A request that has just ended. */
interface Ended {
  readonly client: Downstream;
  readonly facts: ExchangeFacts;
  readonly retries: Retries;
  readonly route: Route | undefined;
  readonly requestId: string;
}

/** Tells the access log and the traces of a request, where they are wanted. */
export function keepRecords(
  { access, traces, clock }: Pick<ExchangeContext, 'access' | 'traces' | 'clock'>,
  { client, facts, retries, route, requestId }: Ended,
  service: string | undefined,
): void {
  const trace = facts.trace?.isSampled === true ? facts.trace : undefined;
  if (access === undefined && trace === undefined) return;
  facts.service = service;
  facts.retries = retries.additional;
  const record = accessRecord(client, facts, requestId, clock.now(), clock.wall());
  access?.write(record);
  if (trace === undefined) return;
  const { span, parentId, state, holds, attempts } = trace;
  const { scheme } = client.peer;
  traces?.request({ span, parentId, state, scheme, route: route?.path, record, holds, attempts });
}
