/** 1 where a < b, else 0. */
import { comparison } from './comparison.ts';

export const less = comparison('Less', (a, b) => a < b);
