/** 1 where a >= b, else 0. */
import { comparison } from './comparison.ts';

export const greaterOrEqual = comparison('GreaterOrEqual', (a, b) => a >= b);
