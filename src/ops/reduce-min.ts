/** ReduceMin: the least over the axes. */
import { reduceOperator } from './reduce.ts';
import { extreme } from './reduce-extreme.ts';

export const reduceMin = reduceOperator('ReduceMin', extreme(false));
