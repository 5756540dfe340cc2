/** The nodes and initialisers of the file that is being written, with names that are used once. */
import { elementCount, type TypedArray } from '../../graph/graph.ts';
import { fileTypeNamed } from '../../model/onnx/element-type.ts';
import type { ModelInit } from '../../model/onnx/schema.ts';

/** An integer, a float, a string or a list of integers. */
export type NodeAttribute = number | { readonly float: number } | string | readonly number[];

export type NodeAttributes = Readonly<Record<string, NodeAttribute | undefined>>;

type GraphInit = NonNullable<ModelInit['graph']>;
type NodeInit = NonNullable<GraphInit['node']>[number];
type TensorInit = NonNullable<GraphInit['initializer']>[number];
type AttributeInit = NonNullable<NodeInit['attribute']>[number];

/** Element types of values here: those of the graph, and what ONNX wants for shapes. */
export type FileDType = 'f32' | 'f16' | 'f64' | 'i32' | 'i64' | 'i16' | 'i8' | 'u8' | 'bool';

export class NodeList {
  readonly initializers: TensorInit[] = [];
  readonly #nodes: { inputs: string[]; output: string; init: NodeInit }[] = [];
  readonly #used = new Set<string>();
  readonly #usedByNodes = new Set<string>();
  readonly #renamed = new Map<string, string>();
  readonly #produced = new Set<string>();
  readonly #lists = new Map<string, string>();

  /** A name that nothing has yet: the wanted one, or one with a number behind it. */
  unique(wanted: string): string {
    return numbered(wanted || 'value', this.#used);
  }

  /** Adds a node with one output and gives the output's name. An empty input name is an absent input. */
  node(opType: string, inputs: readonly string[], attributes: NodeAttributes = {}, name = opType): string {
    // Nodes and values are named apart from each other.
    const nodeName = numbered(name || opType, this.#usedByNodes);
    const output = this.unique(`${nodeName}:out`);
    const attribute = Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [attributeOf(key, value)],
    );
    this.#nodes.push({ inputs: [...inputs], output, init: { opType, name: nodeName, attribute } });
    this.#produced.add(output);
    return output;
  }

  /** Gives a node's output another name. False when it has one already or is no node's output. */
  rename(output: string, to: string): boolean {
    if (!this.#produced.has(output) || this.#renamed.has(output)) return false;
    this.#renamed.set(output, to);
    return true;
  }

  initializer(wanted: string, shape: readonly number[], values: TypedArray, dtype: FileDType): string {
    const name = this.unique(wanted);
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, dims: shape.map(BigInt), dataType: fileTypeNamed(dtype).code, rawData });
    return name;
  }

  /** A list of int64, shared between all who want the same. */
  integers(values: readonly number[]): string {
    return this.#list('i64', values, [values.length], BigInt64Array.from(values, BigInt));
  }

  /** A list of float32, or a single one for an empty shape. */
  floats(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#list('f32', values, shape, Float32Array.from(values));
  }

  /** Stored numbers of a small type: zero points. */
  small(values: readonly number[], dtype: 'i8' | 'u8' | 'i16' | 'i32', shape: readonly number[]): string {
    const array = { i8: Int8Array, u8: Uint8Array, i16: Int16Array, i32: Int32Array }[dtype].from(values);
    return this.#list(dtype, values, shape, array);
  }

  finished(): NodeInit[] {
    const final = (name: string) => this.#renamed.get(name) ?? name;
    return this.#nodes.map(({ inputs, output, init }) => ({
      ...init,
      input: inputs.map(final),
      output: [final(output)],
    }));
  }

  #list(
    dtype: FileDType,
    values: readonly number[],
    shape: readonly number[],
    array: { readonly buffer: ArrayBufferLike },
  ): string {
    const key = `${dtype}[${shape}]${values.map((v) => (Object.is(v, -0) ? '-0' : v))}`;
    let name = this.#lists.get(key);
    if (name === undefined) {
      const short =
        elementCount(shape) <= 4 ? values.join('x').replace(/[^\w.-]/g, '') : `${this.#lists.size}`;
      name = this.unique(`const/${dtype}/${short}`);
      this.initializers.push({
        name,
        dims: shape.map(BigInt),
        dataType: fileTypeNamed(dtype).code,
        rawData: new Uint8Array(array.buffer),
      });
      this.#lists.set(key, name);
    }
    return name;
  }
}

function numbered(base: string, used: Set<string>): string {
  let name = base;
  for (let i = 1; used.has(name); i++) name = `${base}_${i}`;
  used.add(name);
  return name;
}

/** Attribute types as numbered by AttributeProto.AttributeType. */
function attributeOf(name: string, value: NodeAttribute): AttributeInit {
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: value.map(BigInt) };
}
