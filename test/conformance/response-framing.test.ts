import { conformance } from './harness/suite.ts';

conformance('response-framing');
