/** ReduceMax: the greatest over the axes. */
import { reduceOperator } from './reduce.ts';
import { extreme } from './reduce-extreme.ts';

export const reduceMax = reduceOperator('ReduceMax', extreme(true));
