/** 1 where a <= b, else 0. */
import { comparison } from './comparison.ts';

export const lessOrEqual = comparison('LessOrEqual', (a, b) => a <= b);
