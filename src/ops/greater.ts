/** 1 where a > b, else 0. */
import { comparison } from './comparison.ts';

export const greater = comparison('Greater', (a, b) => a > b);
