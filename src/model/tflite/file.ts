/**
 * What stands in a TFLite file, as plain data: the tensors and operators of its main subgraph. Nothing is
 * interpreted here; every index is checked.
 */
import { TidemarkError } from '../../errors.ts';
import { withinLimit } from '../../limits.ts';
import {
  byteField,
  bytesField,
  cursorOver,
  floatsField,
  intField,
  intsField,
  longsField,
  rootTable,
  stringField,
  type Table,
  tableField,
  tablesField,
  ubyteField,
  uintField,
  ulongField,
} from './cursor.ts';
import { builtinName, type FileType, PLACEHOLDER_FOR_GREATER_CODES, TENSOR_TYPES } from './schema.ts';

export interface FileQuantisation {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly dimension: number;
}

export interface FileTensor {
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** The shape with -1 where a dimension is left open; empty when the file says nothing. */
  readonly signature: readonly number[];
  readonly type: FileType;
  readonly quant?: FileQuantisation;
  /** Bytes of a constant, in the file's own element type. */
  readonly data?: Uint8Array;
  readonly variable: boolean;
  readonly sparse: boolean;
}

export interface FileNode {
  readonly index: number;
  /** Name of the built-in operator; CUSTOM for one that is not. */
  readonly builtin: string;
  readonly custom: string;
  /** Tensor indices; -1 for an optional input that is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: Table;
  /** Options of a custom operator, in a form of its own. */
  readonly customOptions?: Uint8Array;
  /** Set where space-to-batch, convolution and batch-to-space are one dilated convolution (dilation.ts). */
  readonly dilated?: { readonly dilation: readonly [number, number]; readonly pads: readonly number[] };
}

export interface FileModel {
  readonly description: string;
  readonly tensors: readonly FileTensor[];
  readonly nodes: readonly FileNode[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly metadata: readonly string[];
  /** Subgraphs in the file; only the first is read. */
  readonly subgraphs: number;
}

const invalid = (message: string) => new TidemarkError('file-format', message);

/** Parses a file. Throws `file-format` on anything that is not a well-formed TFLite model. */
export function parseTflite(bytes: Uint8Array): FileModel {
  if (bytes.length === 0) throw invalid('the file is empty');
  withinLimit('fileBytes', bytes.length, 'file-too-large', `the file has ${bytes.length} bytes`);
  if (bytes.length < 16 || String.fromCharCode(...bytes.subarray(4, 8)) !== 'TFL3') {
    throw invalid(
      'not a TFLite model: bytes 4 to 7 are not TFL3; expected a .tflite file of schema version 3',
    );
  }
  const model = rootTable(cursorOver(bytes));
  const version = uintField(model, 0);
  if (version !== 3) throw invalid(`TFLite schema version ${version}; expected 3`);
  const graphs = tablesField(model, 2);
  if (graphs.length === 0) throw invalid('the model has no subgraph');
  const graph = graphs[0];
  const buffers = tablesField(model, 4);
  const codes = tablesField(model, 1).map(operatorCode);
  const tensorTables = tablesField(graph, 0);
  const count = tensorTables.length;
  withinLimit('tensors', count, 'file-format', `the graph has ${count} tensors`);
  const tensors = tensorTables.map((t, index) => readTensor(t, index, buffers, bytes));
  const nodeTables = tablesField(graph, 3);
  withinLimit('nodes', nodeTables.length, 'file-format', `the graph has ${nodeTables.length} operators`);
  const nodes = nodeTables.map((t, index) => readNode(t, index, codes, tensors.length));
  return {
    description: stringField(model, 3),
    tensors,
    nodes,
    inputs: indices(intsField(graph, 1), tensors.length, 'the graph inputs', false),
    outputs: indices(intsField(graph, 2), tensors.length, 'the graph outputs', false),
    metadata: tablesField(model, 6).map((t) => stringField(t, 0)),
    subgraphs: graphs.length,
  };
}

function operatorCode(table: Table): { builtin: string; custom: string } {
  const old = byteField(table, 0);
  const extended = intField(table, 3);
  const code = extended >= PLACEHOLDER_FOR_GREATER_CODES ? extended : Math.max(old, extended);
  return { builtin: builtinName(code), custom: stringField(table, 1) };
}

function readTensor(table: Table, index: number, buffers: readonly Table[], bytes: Uint8Array): FileTensor {
  const name = stringField(table, 3) || `tensor ${index}`;
  const shape = intsField(table, 0);
  withinLimit('nameCharacters', name.length, 'file-format', `a name of ${name.length} characters`);
  withinLimit('rank', shape.length, 'file-format', `tensor ${name} has rank ${shape.length}`);
  if (shape.some((d) => d < -1))
    throw invalid(`tensor ${name}: the shape [${shape}] has a negative dimension`);
  const type = TENSOR_TYPES[byteField(table, 1)];
  if (!type) throw invalid(`tensor ${name}: unknown element type ${byteField(table, 1)}`);
  const buffer = uintField(table, 2);
  if (buffer > 0 && buffer >= buffers.length) {
    throw invalid(`tensor ${name}: buffer ${buffer} of ${buffers.length} does not exist`);
  }
  return {
    index,
    name,
    shape,
    signature: intsField(table, 7),
    type,
    quant: readQuantisation(tableField(table, 4), name),
    data: buffer > 0 ? bufferData(buffers[buffer], bytes, name) : undefined,
    variable: byteField(table, 5) !== 0,
    sparse: tableField(table, 6) !== undefined,
  };
}

/** A buffer's bytes; undefined when it is empty, which marks a tensor that is computed. */
function bufferData(buffer: Table, bytes: Uint8Array, name: string): Uint8Array | undefined {
  const data = bytesField(buffer, 0);
  if (data.length > 0) return data;
  const offset = ulongField(buffer, 1);
  const size = ulongField(buffer, 2);
  if (offset <= 1 || size === 0) return undefined;
  if (offset + size > bytes.length) {
    throw invalid(`tensor ${name}: its data (${size} bytes from byte ${offset}) lies outside the file`);
  }
  return bytes.subarray(offset, offset + size);
}

function readQuantisation(table: Table | undefined, name: string): FileQuantisation | undefined {
  if (!table) return undefined;
  const scale = floatsField(table, 2);
  if (scale.length === 0) return undefined;
  if (ubyteField(table, 4) !== 0) {
    throw new TidemarkError('quantisation-invalid', `tensor ${name}: custom quantisation is not supported`);
  }
  return { scale, zeroPoint: longsField(table, 3), dimension: intField(table, 6) };
}

function readNode(
  table: Table,
  index: number,
  codes: readonly { builtin: string; custom: string }[],
  tensorCount: number,
): FileNode {
  const code = codes[uintField(table, 0)];
  if (!code)
    throw invalid(
      `operator ${index}: operator code ${uintField(table, 0)} of ${codes.length} does not exist`,
    );
  const where = `operator ${index} (${code.builtin})`;
  return {
    index,
    ...code,
    inputs: indices(intsField(table, 1), tensorCount, `${where}: its inputs`, true),
    outputs: indices(intsField(table, 2), tensorCount, `${where}: its outputs`, false),
    options: ubyteField(table, 3) === 0 ? undefined : tableField(table, 4),
    customOptions: code.custom === '' ? undefined : bytesField(table, 5),
  };
}

function indices(list: number[], count: number, what: string, optional: boolean): number[] {
  withinLimit('operands', list.length, 'file-format', `${what} are ${list.length} tensors`);
  for (const i of list) {
    if (i >= count || i < (optional ? -1 : 0)) throw invalid(`${what} name tensor ${i} of ${count}`);
  }
  return list;
}
