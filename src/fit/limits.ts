/**
 * What is too large to plan. A damaged or mistaken shape must end in one line, not in a machine without memory;
 * networks that are merely large still get a plan, layer by layer.
 */
import { ABSENT, type Graph, pixelsOf, rowPixels, type TensorId, tensorBytes } from '../graph/graph.ts';
import { limits, withinLimit } from '../limits.ts';

/** Throws `shape-too-large` where one operator alone is beyond what this program plans. */
export function refuseTooLarge(graph: Graph): void {
  for (const op of graph.operators) {
    const ids = new Set(
      [...op.inputs, ...op.outputs].filter((id) => id !== ABSENT && !graph.tensors[id].constant),
    );
    const bytes = [...ids].reduce((sum, id) => sum + tensorBytes(graph.tensors[id]), 0);
    if (bytes <= limits.operatorBytes) continue;
    const shapes = [...ids].map((id) => describe(graph, id)).join(', ');
    const what = `operator ${op.name} (${op.kind}): its tensors take ${bytes} bytes (${shapes})`;
    withinLimit('operatorBytes', bytes, 'shape-too-large', what);
  }
  // An input that nothing reads, or an output that is an input, has no operator to be counted with.
  for (const { name, tensor } of [...graph.inputs, ...graph.outputs]) {
    const bytes = tensorBytes(graph.tensors[tensor]);
    withinLimit(
      'operatorBytes',
      bytes,
      'shape-too-large',
      `${describe(graph, tensor)} of ${name} takes ${bytes} bytes`,
    );
  }
}

/** False where following every row of the network would take too long. */
export function canStream(graph: Graph): boolean {
  let rows = 0;
  let pixels = 0;
  for (const { shape, constant } of graph.tensors) {
    if (constant) continue;
    pixels += pixelsOf(shape);
    rows += pixelsOf(shape) / Math.max(1, rowPixels(shape));
  }
  return rows <= limits.streamedRows && pixels <= limits.streamedPixels;
}

function describe(graph: Graph, id: TensorId): string {
  const { name, shape } = graph.tensors[id];
  return `${name} [${shape}]`;
}
