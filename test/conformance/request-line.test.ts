import { conformance } from './harness/suite.ts';

conformance('request-line');
