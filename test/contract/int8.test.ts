/** The zoo in 8-bit integers, every technique, every backend. */
import { contractSuite } from './suite.ts';

contractSuite('int8');
