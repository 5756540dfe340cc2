/** The list of operators. One line each; the order does not matter. */

import { abs } from './abs.ts';
import { add } from './add.ts';
import { and } from './and.ts';
import { argMax, argMin } from './argmax.ts';
import { averagePool } from './average-pool.ts';
import { batchToSpace } from './batch-to-space.ts';
import { cast } from './cast.ts';
import { ceil } from './ceil.ts';
import { celu } from './celu.ts';
import { channelAffine } from './channel-affine.ts';
import { channelPRelu } from './channel-p-relu.ts';
import { channelShuffle } from './channel-shuffle.ts';
import { clip } from './clip.ts';
import { concat } from './concat.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { copy } from './copy.ts';
import { cos } from './cos.ts';
import { depthToSpace } from './depth-to-space.ts';
import { dequantize } from './dequantize.ts';
import { div } from './div.ts';
import { elu } from './elu.ts';
import { equal } from './equal.ts';
import { erf } from './erf.ts';
import { exp } from './exp.ts';
import { expand } from './expand.ts';
import { floor } from './floor.ts';
import { floorDiv } from './floor-div.ts';
import { fullyConnected } from './fully-connected.ts';
import { gather } from './gather.ts';
import { gatherND } from './gather-nd.ts';
import { gelu } from './gelu.ts';
import { greater } from './greater.ts';
import { greaterOrEqual } from './greater-or-equal.ts';
import { hardSigmoid } from './hard-sigmoid.ts';
import { hardSwish } from './hard-swish.ts';
import { hardmax } from './hardmax.ts';
import { instanceNormalization } from './instance-normalization.ts';
import { layerNormalization } from './layer-normalization.ts';
import { leakyRelu } from './leaky-relu.ts';
import { less } from './less.ts';
import { lessOrEqual } from './less-or-equal.ts';
import { log } from './log.ts';
import { logSoftmax } from './log-softmax.ts';
import { lpNormalization } from './lp-normalization.ts';
import { lrn } from './lrn.ts';
import { matMul } from './mat-mul.ts';
import { max } from './max.ts';
import { maxPool } from './max-pool.ts';
import { min } from './min.ts';
import { mish } from './mish.ts';
import { mod } from './mod.ts';
import { mul } from './mul.ts';
import { neg } from './neg.ts';
import { not } from './not.ts';
import type { OperatorDef } from './operator.ts';
import { or } from './or.ts';
import { pRelu } from './p-relu.ts';
import { pad } from './pad.ts';
import { pow } from './pow.ts';
import { quantize } from './quantize.ts';
import { reciprocal } from './reciprocal.ts';
import { reduceL2 } from './reduce-l2.ts';
import { reduceMax } from './reduce-max.ts';
import { reduceMean } from './reduce-mean.ts';
import { reduceMin } from './reduce-min.ts';
import { reduceProd } from './reduce-prod.ts';
import { reduceSum } from './reduce-sum.ts';
import { requantize } from './requantize.ts';
import { requantizeSums } from './requantize-sums.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { round } from './round.ts';
import { rsqrt } from './rsqrt.ts';
import { selu } from './selu.ts';
import { sigmoid } from './sigmoid.ts';
import { sign } from './sign.ts';
import { silu } from './silu.ts';
import { sin } from './sin.ts';
import { slice } from './slice.ts';
import { softmax } from './softmax.ts';
import { softplus } from './softplus.ts';
import { softsign } from './softsign.ts';
import { spaceToBatch } from './space-to-batch.ts';
import { spaceToDepth } from './space-to-depth.ts';
import { sqrt } from './sqrt.ts';
import { squaredDifference } from './squared-difference.ts';
import { sub } from './sub.ts';
import { tanh } from './tanh.ts';
import { thresholdedRelu } from './thresholded-relu.ts';
import { tile } from './tile.ts';
import { transpose } from './transpose.ts';
import { where } from './where.ts';
import { xor } from './xor.ts';
// biome-ignore lint/suspicious/noExplicitAny: each definition is typed by its own attributes
export const definitions: readonly OperatorDef<any>[] = [
  leakyRelu,
  hardSigmoid,
  hardSwish,
  silu,
  tanh,
  elu,
  selu,
  celu,
  exp,
  log,
  sqrt,
  rsqrt,
  reciprocal,
  neg,
  abs,
  sign,
  floor,
  ceil,
  round,
  erf,
  gelu,
  mish,
  softplus,
  softsign,
  thresholdedRelu,
  sin,
  cos,
  not,
  channelAffine,
  channelPRelu,
  min,
  max,
  pow,
  squaredDifference,
  floorDiv,
  mod,
  pRelu,
  equal,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  and,
  or,
  xor,
  where,
  clip,
  requantize,
  requantizeSums,
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
  resize,
  matMul,
  spaceToDepth,
  depthToSpace,
  convTranspose,
  averagePool,
  concat,
  pad,
  reshape,
  slice,
  transpose,
  softmax,
  reduceMean,
  argMax,
  argMin,
  batchToSpace,
  channelShuffle,
  expand,
  gather,
  gatherND,
  hardmax,
  instanceNormalization,
  layerNormalization,
  logSoftmax,
  lpNormalization,
  lrn,
  reduceL2,
  reduceMax,
  reduceMin,
  reduceProd,
  reduceSum,
  spaceToBatch,
  tile,
];
