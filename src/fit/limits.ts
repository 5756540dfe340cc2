/**
 * What is too large to plan. A damaged or mistaken shape must end in one line, not in a machine without memory;
 * networks that are merely large still get a plan, layer by layer.
 */
import { TidemarkError } from '../errors.ts';
import { ABSENT, type Graph, pixelsOf, rowPixels, type TensorId, tensorBytes } from '../graph/graph.ts';

/** Inputs and outputs of one operator. The checker keeps eight bytes for every byte of an arena. */
const MAX_OPERATOR_BYTES = 2 ** 30;

/** Firing tables have an entry a row, or a pixel, of every tensor. */
const MAX_STREAMED_ROWS = 2 ** 21;
const MAX_STREAMED_PIXELS = 2 ** 26;

/** Throws `shape-too-large` where one operator alone is beyond what this program plans. */
export function refuseTooLarge(graph: Graph): void {
  for (const op of graph.operators) {
    const ids = new Set(
      [...op.inputs, ...op.outputs].filter((id) => id !== ABSENT && !graph.tensors[id].constant),
    );
    const bytes = [...ids].reduce((sum, id) => sum + tensorBytes(graph.tensors[id]), 0);
    if (bytes <= MAX_OPERATOR_BYTES) continue;
    const shapes = [...ids].map((id) => describe(graph, id)).join(', ');
    throw new TidemarkError(
      'shape-too-large',
      `operator ${op.name} (${op.kind}): its tensors take ${bytes} bytes (${shapes}), the limit is ${MAX_OPERATOR_BYTES} (1 GiB); give smaller shapes`,
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
  return rows <= MAX_STREAMED_ROWS && pixels <= MAX_STREAMED_PIXELS;
}

function describe(graph: Graph, id: TensorId): string {
  const { name, shape } = graph.tensors[id];
  return `${name} [${shape}]`;
}
