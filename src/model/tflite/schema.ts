/**
 * The numbers of the TFLite schema (version 3) that the reader needs: element types, operator codes and the
 * fields of the option tables. Source: tensorflow/lite/schema/schema.fbs.
 */
import { boolField, byteField, floatField, intField, intsField, type Table } from './cursor.ts';

/** Element types by number, in the words of `Port.dtype`; those that stand for nothing numeric are in capitals. */
export const TENSOR_TYPES = [
  'f32', 'f16', 'i32', 'u8', 'i64', 'STRING', 'bool', 'i16', 'COMPLEX64', 'i8', 'f64', 'COMPLEX128', 'u64', 'RESOURCE',
  'VARIANT', 'u32', 'u16', 'i4', 'BFLOAT16', 'INT2', 'UINT4',
] as const; // biome-ignore format: a table

export type FileType = (typeof TENSOR_TYPES)[number];

/** Below this number the operator code stands in the old one-byte field. */
export const PLACEHOLDER_FOR_GREATER_CODES = 127;

/** Operator names by code. */
const BUILTIN_NAMES = `ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION
LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE
BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT
SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN
FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV
REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS
SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE
MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY
SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL
COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE
READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU
DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT`.split(/\s+/);

export function builtinName(code: number): string {
  return BUILTIN_NAMES[code] ?? `operator code ${code}`;
}

export type Padding = 'same' | 'valid';

const ACTIVATIONS = ['none', 'relu', 'relu-n1-to-1', 'relu6', 'tanh', 'sign-bit'] as const;
export type Activation = (typeof ACTIVATIONS)[number] | 'unknown';

function padding(table: Table | undefined): Padding {
  return table && byteField(table, 0) === 1 ? 'valid' : 'same';
}

/** A fused activation function, from the given field. */
export function activationOf(table: Table | undefined, field: number): Activation {
  return table ? (ACTIVATIONS[byteField(table, field)] ?? 'unknown') : 'none';
}

/** Options without which an operator has no meaning default as the schema says, when the table is missing. */
const int = (t: Table | undefined, field: number, missing = 0) => (t ? intField(t, field, missing) : missing);
const bool = (t: Table | undefined, field: number, missing = false) =>
  t ? boolField(t, field, missing) : missing;
const float = (t: Table | undefined, field: number, missing = 0) =>
  t ? floatField(t, field, missing) : missing;

export const conv2dOptions = (t: Table | undefined) => ({
  padding: padding(t),
  stride: [int(t, 2), int(t, 1)] as const,
  activation: activationOf(t, 3),
  dilation: [int(t, 5, 1), int(t, 4, 1)] as const,
});

export const depthwiseOptions = (t: Table | undefined) => ({
  padding: padding(t),
  stride: [int(t, 2), int(t, 1)] as const,
  activation: activationOf(t, 4),
  dilation: [int(t, 6, 1), int(t, 5, 1)] as const,
});

export const pool2dOptions = (t: Table | undefined) => ({
  padding: padding(t),
  stride: [int(t, 2), int(t, 1)] as const,
  kernel: [int(t, 4), int(t, 3)] as const,
  activation: activationOf(t, 5),
});

export const transposeConvOptions = (t: Table | undefined) => ({
  padding: padding(t),
  stride: [int(t, 2), int(t, 1)] as const,
  activation: activationOf(t, 3),
});

export const fullyConnectedOptions = (t: Table | undefined) => ({
  activation: activationOf(t, 0),
  shuffled: t ? byteField(t, 1) !== 0 : false,
  keepDims: bool(t, 2),
});

export const concatenationOptions = (t: Table | undefined) => ({
  axis: int(t, 0),
  activation: activationOf(t, 1),
});
export const softmaxOptions = (t: Table | undefined) => ({ beta: float(t, 0) });
export const lrnOptions = (t: Table | undefined) => ({
  radius: int(t, 0),
  bias: float(t, 1),
  alpha: float(t, 2),
  beta: float(t, 3),
});
export const bilinearOptions = (t: Table | undefined) => ({
  alignCorners: bool(t, 2),
  halfPixel: bool(t, 3),
});
export const nearestOptions = (t: Table | undefined) => ({ alignCorners: bool(t, 0), halfPixel: bool(t, 1) });
export const blockOptions = (t: Table | undefined) => ({ block: int(t, 0) });
export const gatherOptions = (t: Table | undefined) => ({ axis: int(t, 0), batchDims: int(t, 1) });
export const reducerOptions = (t: Table | undefined) => ({ keepDims: bool(t, 0) });
export const reshapeOptions = (t: Table | undefined) => ({ shape: t ? intsField(t, 0) : [] });
export const squeezeOptions = (t: Table | undefined) => ({ dims: t ? intsField(t, 0) : [] });
export const splitOptions = (t: Table | undefined) => ({ count: int(t, 0) });
export const stridedSliceOptions = (t: Table | undefined) => ({
  beginMask: int(t, 0),
  endMask: int(t, 1),
  ellipsisMask: int(t, 2),
  newAxisMask: int(t, 3),
  shrinkAxisMask: int(t, 4),
  offset: bool(t, 5),
});
export const packOptions = (t: Table | undefined) => ({ count: int(t, 0), axis: int(t, 1) });
export const leakyReluOptions = (t: Table | undefined) => ({ alpha: float(t, 0) });
export const mirrorPadOptions = (t: Table | undefined) => ({ symmetric: t ? byteField(t, 0) === 1 : false });
export const geluOptions = (t: Table | undefined) => ({ approximate: bool(t, 0) });
export const matMulOptions = (t: Table | undefined) => ({ transposeA: bool(t, 0), transposeB: bool(t, 1) });
