/** ONNX files to graphs. Everything that can be wrong with a file ends in one `TidemarkError` that names the place. */
import { TidemarkError, within } from '../../errors.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { allocate, type Graph, lazyConstant, type Port, type TypedArray } from '../../graph/graph.ts';
import { attributesOf } from './attributes.ts';
import { fileTypeNamed } from './element-type.ts';
import { inputOrder, inputType, inputValue, readersOf } from './inputs.ts';
import { lastPerm } from './layout.ts';
import type { NodeContext } from './node-context.ts';
import { importerOf, supportedOnnxOperators } from './operators/index.ts';
import { nodeName, orderedNodes } from './order.ts';
import { type ParsedModel, parseModel } from './parse.ts';
import type { NodeProto, ValueInfoProto } from './schema.ts';
import { type ExternalFiles, tensorData } from './tensor-data.ts';
import { liesIn, place, preferredOrder, tensorValue, type Value } from './value.ts';

/** A value for a graph input that is known before the run. */
export interface BoundInput {
  readonly shape: readonly number[];
  readonly values: TypedArray;
  /** The file's element type: f32, i64, ... */
  readonly dtype: string;
}

export interface OnnxOptions {
  /** Name of the graph. */
  readonly name: string;
  /** The file's name, for messages. */
  readonly file: string;
  /** Shapes of graph inputs, by name: needed where the file leaves dimensions open. */
  readonly shapes?: Record<string, readonly number[]>;
  /** Reads a file beside the model (external data). */
  readonly external?: ExternalFiles;
  /** Graph inputs that are to be constants. */
  readonly constants?: Record<string, BoundInput>;
}

/** Reads a model. The graph is channels last; its ports have the file's names, shapes and types. */
export function readOnnx(bytes: Uint8Array, options: OnnxOptions): Graph {
  return within(options.file, () => {
    const model = parseModel(bytes);
    try {
      return importGraph(model, options);
    } catch (error) {
      if (error instanceof TidemarkError) throw error;
      throw new TidemarkError('graph-invalid', `the graph cannot be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
  });
}

function importGraph(model: ParsedModel, options: OnnxOptions): Graph {
  const { graph } = model;
  const b = new GraphBuilder(options.name, 'onnx');
  const values = new Map<string, Value>();
  addConstants(b, model, options, values);
  const ports = addInputs(b, model, options, values);
  const known = new Set(values.keys());
  for (const node of orderedNodes(graph, known)) importNode(b, node, model, options, values);
  // Inputs that nothing reads are inputs all the same.
  for (const name of ports) void values.get(name)!.source.tensor;
  const inputs = new Set(ports.map((name) => values.get(name)!.source.tensor.id));
  for (const info of graph.output) {
    const value = values.get(info.name);
    if (!value) throw new TidemarkError('graph-invalid', 'an output of the graph has no name');
    addOutput(b, info, value, inputs);
  }
  const built = b.build();
  const byName = new Map(built.inputs.map((port) => [port.name, port]));
  return { ...built, inputs: ports.map((name): Port => byName.get(name)!) };
}

/** Initialisers, and graph inputs that the caller binds. */
function addConstants(
  b: GraphBuilder,
  { graph }: ParsedModel,
  options: OnnxOptions,
  values: Map<string, Value>,
): void {
  const files = new Map<string, Uint8Array>();
  const { external } = options;
  const once = external && ((path: string) => files.get(path) ?? files.set(path, external(path)).get(path)!);
  for (const tensor of graph.initializer) {
    const { name, shape, type, constant } = tensorData(tensor, once);
    values.set(name, tensorValue(b.tensor(name, shape, { dtype: type.dtype }, constant), type));
  }
  for (const [name, bound] of Object.entries(options.constants ?? {})) {
    const type = fileTypeNamed(bound.dtype);
    const constant = lazyConstant(() => {
      const narrowed = allocate(type.dtype, bound.values.length);
      narrowed.set(bound.values);
      return narrowed;
    });
    values.set(name, tensorValue(b.tensor(name, bound.shape, { dtype: type.dtype }, constant), type));
  }
}

/** Graph inputs that are not constants; gives their names in the file's order. */
function addInputs(
  b: GraphBuilder,
  { graph }: ParsedModel,
  options: OnnxOptions,
  values: Map<string, Value>,
): string[] {
  const readers = readersOf(graph);
  const shapes = options.shapes ?? {};
  const names: string[] = [];
  for (const info of graph.input) {
    if (values.has(info.name)) continue;
    const { shape, type } = inputType(info, shapes);
    values.set(info.name, inputValue(b, info.name, shape, type, inputOrder(info.name, shape, readers)));
    names.push(info.name);
  }
  const unknown = Object.keys(shapes).find((name) => !graph.input.some((info) => info.name === name));
  if (unknown !== undefined) {
    throw new TidemarkError(
      'input-invalid',
      `a shape is given for "${unknown}", which is not an input; the inputs are ${names.join(', ')}`,
    );
  }
  return names;
}

function importNode(
  b: GraphBuilder,
  node: NodeProto,
  model: ParsedModel,
  options: OnnxOptions,
  values: Map<string, Value>,
): void {
  const name = nodeName(node);
  const domain = node.domain === 'ai.onnx' ? '' : node.domain;
  const outputs = node.output;
  const run = importerOf(domain, node.opType);
  if (!run) throw unsupported(name, node.opType, domain);
  const opset = model.opsets.get(domain);
  if (opset === undefined && domain === '') {
    throw new TidemarkError(
      'file-format',
      `node ${name} (${node.opType}): the model names no version of ONNX's own operator set (opset_import), so that its meaning is open`,
    );
  }
  const context: NodeContext = {
    b,
    name,
    opType: node.opType,
    domain,
    opset: opset ?? 1,
    attrs: attributesOf(node),
    inputs: trimmed(node.input).map((input) => (input === '' ? undefined : values.get(input))),
    outputs,
    tensorOf: (tensor) => tensorData(tensor, options.external),
  };
  const made = within(`node ${name} (${node.opType})`, () => {
    try {
      return run(context);
    } catch (error) {
      if (error instanceof TidemarkError) throw error;
      throw new TidemarkError('graph-invalid', `cannot be imported: ${(error as Error).message}`, {
        cause: error,
      });
    }
  });
  for (const [i, output] of outputs.entries()) {
    if (output === '') continue;
    const value = made[i];
    if (!value)
      throw new TidemarkError(
        'operator-unsupported',
        `node ${name} (${node.opType}): output ${i} ("${output}") is not supported`,
      );
    values.set(output, { ...value, name: output });
  }
}

/** Without the left-out inputs at the end. */
function trimmed(names: readonly string[]): string[] {
  let end = names.length;
  while (end > 0 && names[end - 1] === '') end--;
  return names.slice(0, end);
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^(If|Loop|Scan)$/, 'control flow is not planned'],
  [/^(LSTM|GRU|RNN)$/, 'recurrent layers are not planned'],
  [/Sequence|^Optional|^String|Map$/, 'only tensors of numbers are planned'],
  [
    /^(NonMaxSuppression|TopK|Unique|Compress)$/,
    'its output has no shape or order known before the run; cut the model before it',
  ],
];

/** Says why, and names operators that start alike, or else the main ones. */
function unsupported(name: string, opType: string, domain: string): TidemarkError {
  const all = supportedOnnxOperators().map((op) => op.replace('com.microsoft:', ''));
  const alike = all.filter((op) => op.slice(0, 4).toLowerCase() === opType.slice(0, 4).toLowerCase());
  const main = [
    'Conv',
    'MaxPool',
    'AveragePool',
    'Gemm',
    'MatMul',
    'Add',
    'Mul',
    'Relu',
    'Softmax',
    'Concat',
    'Resize',
  ];
  const some = alike.length > 0 ? alike : main;
  const where = domain ? ` of domain ${domain}` : '';
  const why = REASONS.find(([pattern]) => pattern.test(opType))?.[1];
  return new TidemarkError(
    'operator-unsupported',
    `node ${name}: operator ${opType}${where} is not supported${why ? ` (${why})` : ''}.
    Supported: ${some.join(', ')} and ${all.length - some.length} more, see docs/onnx.md`,
  );
}

/** The value as it lies where that order is one of the two; the port says which. */
function addOutput(b: GraphBuilder, info: ValueInfoProto, value: Value, inputs: ReadonlySet<number>): void {
  const { shape, type } = value;
  const whole = value.source.tensor.shape;
  const plain = liesIn(value, 'file') && (shape.length !== 4 || `${whole}` === `${shape}`);
  const order = plain ? 'file' : preferredOrder(value);
  let tensor = place(b, value, order);
  if (tensor.constant || inputs.has(tensor.id)) {
    tensor = b.op('Copy', [tensor], {}, { name: info.name, keep: true });
  }
  const perm = order === 'last' && shape.length > 2 ? { perm: lastPerm(shape.length) } : {};
  b.output(tensor, { name: info.name, shape, dtype: type.name, ...perm });
}
