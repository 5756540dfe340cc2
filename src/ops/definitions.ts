/** The list of operators. One line each; the order does not matter. */

import { add } from './add.ts';
import { cast } from './cast.ts';
import { clip } from './clip.ts';
import { concat } from './concat.ts';
import { conv } from './conv.ts';
import { copy } from './copy.ts';
import { dequantize } from './dequantize.ts';
import { div } from './div.ts';
import { fullyConnected } from './fully-connected.ts';
import { maxPool } from './max-pool.ts';
import { mul } from './mul.ts';
import type { OperatorDef } from './operator.ts';
import { pad } from './pad.ts';
import { quantize } from './quantize.ts';
import { reduceMean } from './reduce-mean.ts';
import { requantize } from './requantize.ts';
import { reshape } from './reshape.ts';
import { sigmoid } from './sigmoid.ts';
import { slice } from './slice.ts';
import { softmax } from './softmax.ts';
import { sub } from './sub.ts';
import { transpose } from './transpose.ts';
// biome-ignore lint/suspicious/noExplicitAny: each definition is typed by its own attributes
export const definitions: readonly OperatorDef<any>[] = [
  clip,
  requantize,
  quantize,
  dequantize,
  copy,
  cast,
  sigmoid,
  add,
  sub,
  mul,
  div,
  conv,
  fullyConnected,
  maxPool,
  concat,
  pad,
  reshape,
  slice,
  transpose,
  softmax,
  reduceMean,
];
