/** Fully connected layers and matrix products. */
import { TidemarkError } from '../../../errors.ts';
import { elementCount } from '../../../graph/graph.ts';
import { realWeights } from '../hybrid.ts';
import { finish, type Importer, input } from '../importer.ts';
import { fullyConnectedOptions, matMulOptions } from '../schema.ts';

const fullyConnected: Importer = (node) => {
  const options = fullyConnectedOptions(node.file.options);
  if (options.shuffled) throw new TidemarkError('operator-unsupported', 'shuffled weights are not supported');
  const x = input(node, 0);
  const w = realWeights(node, x, input(node, 1));
  if (w.shape.length !== 2)
    throw new TidemarkError('shape-mismatch', `weights [${w.shape}]; expected [outputs, inputs]`);
  const depth = w.shape[1];
  if (depth === 0 || elementCount(x.shape) % depth !== 0) {
    throw new TidemarkError('shape-mismatch', `an input [${x.shape}] on weights for ${depth} values`);
  }
  const perPixel =
    x.shape.length >= 2 &&
    x.shape[x.shape.length - 1] === depth &&
    (options.keepDims || x.shape.length === 2);
  return finish(node, 'FullyConnected', [x, w, node.inputs[2]], { flatten: !perPixel }, options);
};

const batchMatMul: Importer = (node) => {
  const b = realWeights(node, input(node, 0), input(node, 1));
  return finish(node, 'MatMul', [input(node, 0), b], matMulOptions(node.file.options));
};

export const products: Record<string, Importer> = {
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: batchMatMul,
};
