/** The zoo in 32-bit floats, every technique, every backend. */
import { contractSuite } from './suite.ts';

contractSuite('f32');
