/** Dense layers as Gemm or MatMul. */
import { channelsOf, elementCount } from '../../../graph/graph.ts';
import { aside, type EmitContext, type Emitter, inputTensor, last, main, outputTensor } from '../emitter.ts';
import { rearranged, sameOrder } from '../layout.ts';
import { biasOf, refuseBareSums } from './windows.ts';

/**
 * The dense weights of a flattened picture, its columns in channels-first order, as files have them; undefined
 * where they cannot be rearranged.
 */
function columnsFirst(c: EmitContext): string | undefined {
  const x = inputTensor(c, 0);
  const w = inputTensor(c, 1);
  const [n, k] = w.shape;
  const [, height, width, channels] = x.shape;
  if (!w.constant || k !== height * width * channels) return undefined;
  const values = rearranged(w.constant.load(), [n, height, width, channels], [0, 3, 1, 2]);
  const stored = c.values.nodes.initializer(w.name, [n, k], values, w.dtype);
  return w.quant ? c.values.dequantised(stored, w, 0, w.name) : stored;
}

const fullyConnected: Emitter = (c) => {
  refuseBareSums(c);
  const { values } = c;
  const x = inputTensor(c, 0);
  const w = inputTensor(c, 1);
  const y = outputTensor(c);
  if (y.shape.length !== 2) {
    const turned = aside(c, 'Transpose', [values.real(w.id, 'last')], { perm: [1, 0] });
    const bias = biasOf(c);
    const product = [values.real(x.id, 'last'), turned];
    return last(
      bias.length > 0 ? main(c, 'Add', [aside(c, 'MatMul', product), ...bias]) : main(c, 'MatMul', product),
    );
  }
  const moved = x.shape.length === 4 && !sameOrder(x.shape) ? columnsFirst(c) : undefined;
  const layout = moved !== undefined || sameOrder(x.shape) ? 'first' : 'last';
  let rows = values.real(x.id, layout);
  if (x.shape.length !== 2 || channelsOf(x.shape) !== w.shape[1]) {
    const batch = elementCount(x.shape) / w.shape[1];
    const flatten = x.shape[0] === batch;
    rows = flatten
      ? aside(c, 'Flatten', [rows], { axis: 1 })
      : aside(c, 'Reshape', [rows, values.nodes.integers([batch, w.shape[1]])]);
  }
  return last(main(c, 'Gemm', [rows, moved ?? values.real(w.id, 'last'), ...biasOf(c)], { transB: 1 }));
};

const matMul: Emitter = (c) => {
  refuseBareSums(c);
  const names = c.op.inputs.map((id, i) => {
    const real = c.values.real(id, 'last');
    if (!(i === 0 ? c.attrs.transposeA : c.attrs.transposeB)) return real;
    const rank = c.values.tensor(id).shape.length;
    const perm = Array.from({ length: rank }, (_, k) => (k < rank - 2 ? k : 2 * rank - 3 - k));
    return aside(c, 'Transpose', [real], { perm });
  });
  return last(main(c, 'MatMul', names));
};

export const products: Readonly<Record<string, Emitter>> = { FullyConnected: fullyConnected, MatMul: matMul };
