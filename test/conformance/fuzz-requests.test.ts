import { requests } from './fuzz/requests.ts';
import { fuzzing } from './fuzz/suite.ts';

fuzzing(requests);
