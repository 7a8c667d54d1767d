import { chunkGrammar } from './cases/chunk-grammar.ts';
import { contentLength } from './cases/content-length.ts';
import { fieldSyntax } from './cases/field-syntax.ts';
import { hopHeaders } from './cases/hop-headers.ts';
import { host } from './cases/host.ts';
import { interimResponses } from './cases/interim-responses.ts';
import { requestLine } from './cases/request-line.ts';
import { requestTarget } from './cases/request-target.ts';
import { responseFraming } from './cases/response-framing.ts';
import { responseSyntax } from './cases/response-syntax.ts';
import { trailers } from './cases/trailers.ts';
import { transferEncoding } from './cases/transfer-encoding.ts';
import { truncation } from './cases/truncation.ts';
import type { Case } from './harness/case.ts';
import type { Scenario } from './harness/scenario.ts';
import { aborts } from './scenarios/aborts.ts';
import { expect } from './scenarios/expect.ts';
import { forwarding } from './scenarios/forwarding.ts';
import { headerRules } from './scenarios/header-rules.ts';
import { limits } from './scenarios/limits.ts';
import { pipelining } from './scenarios/pipelining.ts';
import { poison } from './scenarios/poison.ts';
import { proxyProtocol } from './scenarios/proxy-protocol.ts';
import { retries } from './scenarios/retries.ts';
import { routing } from './scenarios/routing.ts';
import { upgrade } from './scenarios/upgrade.ts';
import { uploads } from './scenarios/uploads.ts';

/** Rows that are run whole, in pieces, and against other proxies. */
export const tables: Record<string, Case[]> = {
  'content-length': contentLength,
  'transfer-encoding': transferEncoding,
  'chunk-grammar': chunkGrammar,
  trailers,
  'field-syntax': fieldSyntax,
  'request-line': requestLine,
  'request-target': requestTarget,
  host,
  'hop-headers': hopHeaders,
  'interim-responses': interimResponses,
  'response-framing': responseFraming,
  'response-syntax': responseSyntax,
  truncation,
};

/** What takes several steps, or more than the plain proxy of the tables. */
export const scenarios: Record<string, Scenario[]> = {
  pipelining,
  expect,
  upgrade,
  uploads,
  aborts,
  retries,
  poison,
  limits,
  forwarding,
  routing,
  'header-rules': headerRules,
  'proxy-protocol': proxyProtocol,
};
