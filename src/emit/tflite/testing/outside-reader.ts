/**
 * Reads a .tflite file for tests with nothing but the flatbuffers package, sharing no code with the reader and the
 * writer under test. Fields are numbered as in tensorflow/lite/schema/schema.fbs.
 */
import { ByteBuffer } from 'flatbuffers';

/** Address of a field's value in the table at `table`; 0 where it is left out. */
function field(b: ByteBuffer, table: number, number: number): number {
  const offset = b.__offset(table, 4 + 2 * number);
  return offset === 0 ? 0 : table + offset;
}

/** What an offset field points to; 0 where it is left out. */
function pointed(b: ByteBuffer, table: number, number: number): number {
  const at = field(b, table, number);
  return at === 0 ? 0 : b.__indirect(at);
}

/** Addresses of the tables in a vector. */
function tables(b: ByteBuffer, table: number, number: number): number[] {
  const at = field(b, table, number);
  if (at === 0) return [];
  const start = b.__vector(at);
  return Array.from({ length: b.__vector_len(at) }, (_, i) => b.__indirect(start + 4 * i));
}

function ints(b: ByteBuffer, table: number, number: number): number[] {
  const at = field(b, table, number);
  if (at === 0) return [];
  const start = b.__vector(at);
  return Array.from({ length: b.__vector_len(at) }, (_, i) => b.readInt32(start + 4 * i));
}

const open = (file: Uint8Array) => {
  const b = new ByteBuffer(file);
  return { b, model: b.readUint32(0) };
};

/** Addresses in the file of everything that a Model holds. */
export function modelFields(file: Uint8Array) {
  const { b, model } = open(file);
  return {
    version: b.readUint32(field(b, model, 0)),
    operatorCodes: pointed(b, model, 1),
    subgraphs: pointed(b, model, 2),
    description: pointed(b, model, 3),
    buffers: tables(b, model, 4),
    metadata: tables(b, model, 6),
    signatureDefs: pointed(b, model, 7),
  };
}

const BYTES: Readonly<Record<number, number>> = { 0: 4, 1: 2, 2: 4, 3: 1, 4: 8, 6: 1, 7: 2, 9: 1, 10: 8 };

/** The main subgraph. */
export function tensorsAndOperators(file: Uint8Array) {
  const { b, model } = open(file);
  const [graph] = tables(b, model, 2);
  const buffers = tables(b, model, 4);
  const tensors = tables(b, graph, 0).map((t) => {
    const shape = ints(b, t, 0);
    const type = field(b, t, 1) === 0 ? 0 : b.readInt8(field(b, t, 1));
    const buffer = field(b, t, 2) === 0 ? 0 : b.readUint32(field(b, t, 2));
    const data = field(b, buffers[buffer], 0);
    const constant = data !== 0 && b.__vector_len(data) > 0;
    return { bytes: shape.reduce((n, d) => n * d, BYTES[type]), constant };
  });
  const operators = tables(b, graph, 3).map((o) => ({ inputs: ints(b, o, 1), outputs: ints(b, o, 2) }));
  return { tensors, operators, inputs: ints(b, graph, 1), outputs: ints(b, graph, 2) };
}

/** The integers of the plan, found as TFLite Micro finds them. */
export function plainPlan(file: Uint8Array): number[] {
  const { b, model } = open(file);
  const buffers = tables(b, model, 4);
  for (const entry of tables(b, model, 6)) {
    if (b.__string(field(b, entry, 0)) !== 'OfflineMemoryAllocation') continue;
    const buffer = buffers[b.readUint32(field(b, entry, 1))];
    const data = field(b, buffer, 0);
    const start = b.__vector(data);
    if (start % 16 !== 0) throw new Error(`the plan lies at ${start}`);
    return Array.from({ length: b.__vector_len(data) / 4 }, (_, i) => b.readInt32(start + 4 * i));
  }
  return [];
}
