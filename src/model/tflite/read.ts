/**
 * TFLite file in, graph out. The file's operators stand in execution order; each is turned into operators of
 * the graph by its importer (operators/). Open dimensions take the size stored in the file, or the caller's.
 */
import { TidemarkError, within } from '../../errors.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import {
  type ElementType,
  elementCount,
  type Graph,
  lazyConstant,
  type Quantisation,
  type Tensor,
} from '../../graph/graph.ts';
import { withinLimit } from '../../limits.ts';
import { joinDilated } from './dilation.ts';
import { type FileModel, type FileNode, type FileTensor, parseTflite } from './file.ts';
import type { Node } from './importer.ts';
import { importerOf, refusal } from './operators/importers.ts';
import { takesScale, withPlainIntegers, withScaleOf } from './plain-integers.ts';
import { dtypeOfFile, fileBytes, readValues } from './values.ts';

export interface ReadTfliteOptions {
  /** Name of the graph. */
  readonly name: string;
  /** The file's name, for messages. */
  readonly file: string;
  /** Shapes of inputs by name, where the stored ones are not wanted. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Names of tensors to take as outputs instead of the file's: cuts off what they do not need. */
  readonly outputs?: readonly string[];
}

/** Reads a model. Throws one `TidemarkError` that names the file, and operator or tensor where there is one. */
export function readTflite(bytes: Uint8Array, options: ReadTfliteOptions): Graph {
  return within(options.file, () => {
    try {
      return importModel(withPlainIntegers(parseTflite(bytes)), options);
    } catch (error) {
      // What a typed array or a string says when a size is beyond what the machine can hold.
      if (error instanceof RangeError) {
        throw new TidemarkError('file-too-large', `a tensor is larger than can be held (${error.message})`, {
          cause: error,
        });
      }
      throw error;
    }
  });
}

function importModel(model: FileModel, options: ReadTfliteOptions): Graph {
  const builder = new GraphBuilder(options.name, 'tflite');
  const tensors: (Tensor | undefined)[] = new Array(model.tensors.length).fill(undefined);
  const outputs = options.outputs ? options.outputs.map((name) => tensorNamed(model, name)) : model.outputs;
  const joined = joinDilated(model.nodes, model.tensors, outputs);
  const nodes = needed(joined, outputs);
  const writers = new Map(joined.flatMap((n) => n.outputs.map((t) => [t, n] as const)));
  for (const index of model.inputs)
    tensors[index] = inputTensor(builder, model.tensors[index], options.shapes);
  refuseUnknownShapes(model, options.shapes);
  const read = (index: number): Tensor =>
    (tensors[index] ??= constantTensor(builder, model.tensors[index], writers.get(index)));
  for (const node of nodes) {
    within(`operator ${node.index} (${node.builtin})`, () => importNode(builder, model, node, tensors, read));
  }
  if (outputs.length === 0) throw new TidemarkError('graph-invalid', 'the model has no outputs');
  for (const index of outputs) {
    const tensor = read(index);
    const { name, type } = model.tensors[index];
    builder.output(tensor, { name, shape: tensor.shape, dtype: type });
  }
  return builder.build();
}

function tensorNamed(model: FileModel, name: string): number {
  const found = model.tensors.find((t) => t.name === name);
  if (!found) throw new TidemarkError('input-invalid', `there is no tensor ${name} to take as an output`);
  return found.index;
}

/** The nodes that the outputs depend on, in the file's order. What none depends on is not even looked at. */
function needed(nodes: readonly FileNode[], outputs: readonly number[]): FileNode[] {
  const wanted = new Set(outputs);
  const kept: FileNode[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (!node.outputs.some((t) => wanted.has(t))) continue;
    kept.push(node);
    for (const t of node.inputs) wanted.add(t);
  }
  return kept.reverse();
}

function importNode(
  builder: GraphBuilder,
  model: FileModel,
  node: FileNode,
  tensors: (Tensor | undefined)[],
  read: (index: number) => Tensor,
): void {
  const importer = importerOf(node.builtin);
  if (!importer) {
    const before = node.inputs
      .filter((t) => t !== -1 && !model.tensors[t].data)
      .map((t) => model.tensors[t].name);
    const cut = before.length > 0 ? `; end the model before it: at ${before.slice(0, 4).join(', ')}` : '';
    throw new TidemarkError('operator-unsupported', refusal(node.builtin, node.custom) + cut);
  }
  const declared = node.outputs.map((t) => model.tensors[t]);
  if (declared.length === 0) throw new TidemarkError('operator-invalid', 'the operator has no output');
  const types = declared.map((t) => elementType(t, false));
  const context: Node = {
    builder,
    file: node,
    name: `${node.builtin}_${node.index}`,
    declared,
    types: types.map((type) =>
      type.dtype === 'i32' && !takesScale(node.builtin, 0) ? { dtype: 'i32' } : type,
    ),
    inputs: node.inputs.map((t, i) => {
      if (t === -1) return undefined;
      return takesScale(node.builtin, i) ? read(t) : withScaleOf(builder, read(t));
    }),
  };
  const made = importer(context);
  const outputs = Array.isArray(made) ? (made as Tensor[]) : [made as Tensor];
  node.outputs.forEach((t, i) => {
    if (tensors[t])
      throw new TidemarkError(
        'graph-invalid',
        `tensor ${model.tensors[t].name} is written twice, or is an input or constant too`,
      );
    const { shape, constant } = outputs[i];
    const what = `a constant of shape [${shape}] is made on import`;
    if (constant) withinLimit('madeElements', elementCount(shape), 'file-too-large', what);
    tensors[t] = withScaleOf(builder, outputs[i], types[i]);
  });
}

/** Open dimensions take the stored size: 1 for a batch, which is what writers store for any open dimension. */
function inputTensor(builder: GraphBuilder, tensor: FileTensor, shapes: ReadTfliteOptions['shapes']): Tensor {
  const { name, signature } = tensor;
  const stored = tensor.shape.map((d) => (d === -1 ? 1 : d));
  const asked = shapes && Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (!asked && stored.some((d, i) => i > 0 && d === 1 && signature[i] === -1)) {
    throw new TidemarkError(
      'shape-dynamic',
      `input ${name} leaves dimensions of [${signature}] open; expected sizes: give it a shape (--shape)`,
    );
  }
  return builder.input({ name, shape: asked ?? stored, dtype: tensor.type }, elementType(tensor, false));
}

function refuseUnknownShapes(model: FileModel, shapes: ReadTfliteOptions['shapes'] = {}): void {
  const names = model.inputs.map((i) => model.tensors[i].name);
  for (const name of Object.keys(shapes)) {
    if (!names.includes(name)) {
      throw new TidemarkError(
        'input-invalid',
        `a shape is given for input ${name}; the model's inputs are ${names.join(', ')}`,
      );
    }
  }
}

/** A tensor that nothing before has written: a constant of the file, or a mistake in it. */
function constantTensor(builder: GraphBuilder, tensor: FileTensor, writer: FileNode | undefined): Tensor {
  const { name, type, data } = tensor;
  if (tensor.variable) {
    throw new TidemarkError(
      'operator-unsupported',
      `tensor ${name} is a variable that keeps its value between runs: not supported`,
    );
  }
  if (tensor.sparse)
    throw new TidemarkError('type-unsupported', `tensor ${name} is stored sparsely: not supported`);
  const element = elementType(tensor, true);
  const count = elementCount(tensor.shape);
  if (!data && count > 0) {
    if (writer) {
      throw new TidemarkError(
        'graph-cyclic',
        `tensor ${name} is read before operator ${writer.index} (${writer.builtin}) writes it`,
      );
    }
    throw new TidemarkError(
      'graph-invalid',
      `tensor ${name} is neither an input, nor a constant, nor written by an operator`,
    );
  }
  const expected = fileBytes(type, count);
  const held = data ?? new Uint8Array();
  if (held.length !== expected) {
    throw new TidemarkError(
      'shape-mismatch',
      `tensor ${name} of shape [${tensor.shape}] (${type}) takes ${expected} bytes; its buffer has ${held.length}`,
    );
  }
  return builder.tensor(
    name,
    tensor.shape,
    element,
    lazyConstant(() => readValues(type, held, count)),
  );
}

function elementType(tensor: FileTensor, constant: boolean): ElementType {
  const dtype = dtypeOfFile(tensor.type, tensor.name);
  const quantised = dtype === 'i8' || dtype === 'u8' || dtype === 'i16' || dtype === 'i32';
  return quantised && tensor.quant ? { dtype, quant: quantisation(tensor, constant) } : { dtype };
}

/** What can be stored, by element type. */
const ZERO_POINTS: Partial<Record<ElementType['dtype'], readonly [number, number]>> = {
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};

/** Scales and zero points as the graph has them, checked against the shape. */
function quantisation(tensor: FileTensor, constant: boolean): Quantisation {
  const { scale, zeroPoint, dimension } = tensor.quant!;
  const invalid = (why: string) => new TidemarkError('quantisation-invalid', `tensor ${tensor.name}: ${why}`);
  // A scale of zero stands for channels whose weights are all zero.
  if (scale.some((s) => !Number.isFinite(s) || s < 0 || (s === 0 && !constant))) {
    throw invalid(
      `a scale of ${scale.find((s) => !(Number.isFinite(s) && s > 0))}; expected a positive number`,
    );
  }
  const zeros = zeroPoint.length === scale.length ? zeroPoint : scale.map(() => zeroPoint[0] ?? 0);
  const [low, high] = ZERO_POINTS[dtypeOfFile(tensor.type, tensor.name)] ?? [0, 0];
  const beyond = zeros.find((z) => !(z >= low && z <= high));
  if (beyond !== undefined) throw invalid(`a zero point of ${beyond}; expected ${low} to ${high}`);
  if (scale.length === 1) return { scale, zeroPoint: zeros, axis: 0 };
  // The quantisation specification of TFLite: along an axis, zero is stored as 0. Its kernels do not look.
  const channel = zeros.findIndex((z) => z !== 0);
  if (channel >= 0)
    throw invalid(
      `a zero point of ${zeros[channel]} in channel ${channel}; along an axis only 0 is supported`,
    );
  // Some writers name the weights' channel dimension on one-dimensional biases too.
  const axis = tensor.shape.length === 1 ? 0 : dimension;
  if (tensor.shape[axis] !== scale.length) {
    throw invalid(`${scale.length} scales along dimension ${dimension} of the shape [${tensor.shape}]`);
  }
  return { scale, zeroPoint: zeros, axis };
}
