/** Old ONNX files list their weights among the inputs, which keeps ONNX Runtime from preparing them: a slower opponent. */
import { decodeModel, encodeModel } from '../../model/onnx/schema.ts';

/** From this version of the format on, weights need not be inputs. */
const WEIGHTS_APART = 4n;

/** The same model with all weights constant, as ONNX Runtime itself advises; the same bytes where they are. */
export function withConstantWeights(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  const { graph } = model;
  if (!graph) return bytes;
  const weights = new Set(graph.initializer.map((t) => t.name));
  if (!graph.input.some((port) => weights.has(port.name))) return bytes;
  const irVersion = (model.irVersion ?? 0n) < WEIGHTS_APART ? WEIGHTS_APART : model.irVersion;
  const input = graph.input.filter((port) => !weights.has(port.name));
  return encodeModel({ ...model, irVersion, graph: { ...graph, input } });
}
