/** Bytes to an ONNX model that is worth walking over: damaged and foreign files end here, with one line. */
import { TidemarkError } from '../../errors.ts';
import { withinLimit } from '../../limits.ts';
import { decodeModel, type GraphProto, type ModelProto } from './schema.ts';

export interface ParsedModel {
  readonly graph: GraphProto;
  /** Operator set version by domain; '' is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
}

/** Decodes and checks the outermost structure. Throws `file-format`, `file-too-large` or `graph-invalid`. */
export function parseModel(bytes: Uint8Array): ParsedModel {
  if (bytes.length === 0) throw new TidemarkError('file-format', 'the file is empty, expected an ONNX model');
  withinLimit('fileBytes', bytes.length, 'file-too-large', `the file has ${bytes.length} bytes`);
  const model = decode(bytes);
  const graph = model.graph;
  if (!graph || (graph.node.length === 0 && graph.output.length === 0)) {
    throw new TidemarkError('file-format', 'not an ONNX model: it holds no graph');
  }
  const nodes = graph.node.length;
  withinLimit('nodes', nodes, 'graph-invalid', `the graph has ${nodes} nodes`);
  const tensors = graph.initializer.length + graph.input.length + graph.valueInfo.length;
  withinLimit('tensors', tensors, 'graph-invalid', `the graph lists ${tensors} tensors`);
  for (const node of graph.node) {
    const operands = Math.max(node.input.length, node.output.length);
    withinLimit('operands', operands, 'graph-invalid', `a node has ${operands} inputs or outputs`);
    checkNames([...node.output, node.name, node.opType]);
  }
  checkNames([...graph.input, ...graph.output, ...graph.initializer].map((named) => named.name));
  if (graph.output.length === 0) throw new TidemarkError('graph-invalid', 'the graph has no outputs');
  if (graph.sparseInitializer.length > 0) {
    throw new TidemarkError(
      'operator-unsupported',
      'sparse initialisers are not supported: store them densely',
    );
  }
  const opsets = new Map<string, number>();
  for (const { domain, version } of model.opsetImport) {
    opsets.set(domain === 'ai.onnx' ? '' : domain, Number(version));
  }
  if (opsets.size === 0) {
    throw new TidemarkError(
      'file-format',
      'the model names no operator set version (opset_import): it may be cut off',
    );
  }
  return { graph, opsets };
}

function checkNames(names: readonly string[]): void {
  for (const name of names) {
    const { length } = name;
    withinLimit('nameCharacters', length, 'graph-invalid', `a name of ${length} characters`);
  }
}

function decode(bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (error) {
    const hint = foreignFormat(bytes);
    const reason = hint ? `it looks like ${hint}` : `it is damaged or cut off (${(error as Error).message})`;
    throw new TidemarkError('file-format', `not a readable ONNX model: ${reason}`, { cause: error });
  }
}

/** Names a few formats that end up under the wrong name. */
function foreignFormat(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'a JPEG picture';
  if (text.startsWith('\x89PNG')) return 'a PNG picture';
  if (text.startsWith('PK\x03\x04'))
    return 'a zip archive (a PyTorch or Keras file?): export it to ONNX first';
  if (text.startsWith('\x89HDF')) return 'an HDF5 file: export it to ONNX first';
  if (text.slice(4, 8).startsWith('TFL3')) return 'a TFLite model: give it the ending .tflite';
  if (/^\s*[<{]/.test(text)) return 'a text file';
  return undefined;
}
