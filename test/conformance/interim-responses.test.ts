import { conformance } from './harness/suite.ts';

conformance('interim-responses');
