import { responses } from './fuzz/responses.ts';
import { fuzzing } from './fuzz/suite.ts';

fuzzing(responses);
