/**
 * Any graph as an ONNX file that computes the same: pictures channels first, epilogues as nodes of their own,
 * quantised tensors between QuantizeLinear and DequantizeLinear. Reading the file gives the graph back.
 */
import { TidemarkError, within } from '../../errors.ts';
import { elementBytes, type Graph, type Operator, tensorBytes } from '../../graph/graph.ts';
import { encodeModel } from '../../model/onnx/schema.ts';
import { sameType } from '../../ops/stored.ts';
import type { Emitted } from './emitter.ts';
import { NodeList } from './nodes.ts';
import { emitters } from './operators/index.ts';
import { emitUnary } from './operators/unary.ts';
import { portNames, writeInputs, writeOutputs } from './ports.ts';
import { Values } from './values.ts';

export interface OnnxOptions {
  /** Stands in the file as its maker's version. */
  readonly version?: string;
}

/** Protobuf's limit, less room for all that is not weights. */
const MAX_WEIGHT_BYTES = 2 ** 31 - 2 ** 24;

/** Throws `operator-unsupported` for a kind that has no ONNX form, `file-too-large` beyond 2 GiB. */
export function writeOnnx(graph: Graph, options: OnnxOptions = {}): Uint8Array {
  let weightBytes = 0;
  for (const t of graph.tensors) if (t.constant) weightBytes += tensorBytes(t);
  if (weightBytes > MAX_WEIGHT_BYTES) {
    throw new TidemarkError(
      'file-too-large',
      `${graph.name}: ${weightBytes} bytes of weights; an ONNX file holds 2 GiB`,
    );
  }
  const nodes = new NodeList();
  const values = new Values(graph, nodes, portNames(graph, nodes));
  const opset = opsetOf(graph);
  const input = writeInputs(graph, values);
  for (const op of graph.operators) {
    within(`operator ${op.name} (${op.kind})`, () => writeOperator(op, values, opset));
  }
  const output = writeOutputs(graph, values);
  return encodeModel({
    irVersion: opset >= 21 ? 10n : opset >= 19 ? 9n : 8n,
    producerName: 'tidemark',
    producerVersion: options.version ?? '',
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: { name: graph.name, node: nodes.finished(), initializer: nodes.initializers, input, output },
  });
}

/** The lowest operator set from 17 on that has all that the graph needs. */
function opsetOf(graph: Graph): number {
  let opset = 17;
  for (const { kind, attrs } of graph.operators) {
    if (kind === 'Resize' && attrs.antialias) opset = Math.max(opset, 18);
    if (kind === 'AveragePool' && (attrs.dilation as number[]).some((d) => d !== 1))
      opset = Math.max(opset, 19);
  }
  const wide = graph.tensors.some((t) => t.quant && !t.constant && elementBytes(t) === 2);
  return wide ? 21 : opset;
}

function writeOperator(op: Operator, values: Values, opset: number): void {
  const emit = emitters.get(op.kind);
  if (!emit || op.outputs.length !== 1) {
    throw new TidemarkError('operator-unsupported', `${op.kind} cannot be written as ONNX`);
  }
  const core = emit({ op, values, attrs: op.attrs, opset });
  values.define(op.outputs[0], core.layout, withEpilogue(op, values, core));
}

/**
 * A clip within one type needs no rounding in between: it moves past the rounding unchanged. Every other step
 * sees its input as its type stores it.
 */
function withEpilogue(op: Operator, values: Values, { value, layout }: Emitted): string {
  const { shape } = values.tensor(op.outputs[0]);
  let x = value;
  for (const { kind, attrs, from, to } of op.epilogue ?? []) {
    const name = `${op.name}/${kind}`;
    if (from.quant && !(kind === 'Clip' && sameType(from, to))) {
      x = values.dequantised(values.quantised(x, from, 0, name), from, 0, name);
    }
    x = emitUnary(kind, x, { nodes: values.nodes, name, attrs, shape, layout });
  }
  return x;
}
