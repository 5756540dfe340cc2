/** The error function. */
import { errorFunction } from '../arithmetic/error-function.ts';
import { unaryOperator } from './unary.ts';

export const erf = unaryOperator({
  kind: 'Erf',
  real: () => errorFunction,
});
