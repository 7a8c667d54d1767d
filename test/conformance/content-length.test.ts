import { conformance } from './harness/suite.ts';

conformance('content-length');
