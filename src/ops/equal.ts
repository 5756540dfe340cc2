/** 1 where a === b, else 0. */
import { comparison } from './comparison.ts';

export const equal = comparison('Equal', (a, b) => a === b);
