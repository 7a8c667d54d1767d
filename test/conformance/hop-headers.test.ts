import { conformance } from './harness/suite.ts';

conformance('hop-headers');
