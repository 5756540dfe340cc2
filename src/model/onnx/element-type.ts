/** ONNX's element types (TensorProto.DataType): their names here, sizes, and what they become in the graph. */
import { TidemarkError } from '../../errors.ts';
import type { DType } from '../../graph/graph.ts';

/** An element type of the file, as ports name it. */
export interface FileType {
  readonly code: number;
  readonly name: string;
  readonly bytes: number;
  /** The type in the graph. */
  readonly dtype: DType;
}

const FILE_TYPES: readonly FileType[] = [
  { code: 1, name: 'f32', bytes: 4, dtype: 'f32' },
  { code: 2, name: 'u8', bytes: 1, dtype: 'u8' },
  { code: 3, name: 'i8', bytes: 1, dtype: 'i8' },
  { code: 4, name: 'u16', bytes: 2, dtype: 'i32' },
  { code: 5, name: 'i16', bytes: 2, dtype: 'i16' },
  { code: 6, name: 'i32', bytes: 4, dtype: 'i32' },
  { code: 7, name: 'i64', bytes: 8, dtype: 'i32' },
  { code: 9, name: 'bool', bytes: 1, dtype: 'bool' },
  { code: 10, name: 'f16', bytes: 2, dtype: 'f32' },
  { code: 11, name: 'f64', bytes: 8, dtype: 'f32' },
  { code: 12, name: 'u32', bytes: 4, dtype: 'i32' },
  { code: 13, name: 'u64', bytes: 8, dtype: 'i32' },
  { code: 16, name: 'bf16', bytes: 2, dtype: 'f32' },
];

const byCode = new Map(FILE_TYPES.map((t) => [t.code, t]));
const UNREAD: Record<number, string> = {
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  21: 'uint4',
  22: 'int4',
};

/** The type behind a code of the file. Throws `type-unsupported`. */
export function fileType(code: number): FileType {
  const type = byCode.get(code);
  if (type) return type;
  const name = UNREAD[code] ?? `number ${code}`;
  throw new TidemarkError(
    'type-unsupported',
    `element type ${name} is not supported: expected one of ${FILE_TYPES.map((t) => t.name).join(', ')}`,
  );
}

/** The type with a name used on ports. */
export function fileTypeNamed(name: string): FileType {
  const type = FILE_TYPES.find((t) => t.name === name);
  if (!type) throw new TidemarkError('type-unsupported', `element type ${name} is not supported`);
  return type;
}
