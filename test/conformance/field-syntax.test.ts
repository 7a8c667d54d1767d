import { conformance } from './harness/suite.ts';

conformance('field-syntax');
