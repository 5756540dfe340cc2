/**
 * Hybrid operators: float activations with integer weights. A runtime quantises each input on the fly; here the
 * weights are dequantised on import instead, which is the function the quantisation approximates, and needs no
 * kernels of its own. Results differ from a hybrid kernel's by its rounding of the activations.
 */
import { lazyConstant, type Tensor } from '../../graph/graph.ts';
import type { Node } from './importer.ts';

/** The weights as real numbers where the activations are real; else the weights themselves. */
export function realWeights(node: Node, x: Tensor, w: Tensor): Tensor {
  const { constant, quant } = w;
  if (x.dtype !== 'f32' || !constant || !quant || w.dtype === 'f32') return w;
  let inner = 1;
  for (let i = quant.axis + 1; i < w.shape.length; i++) inner *= w.shape[i];
  const entries = quant.scale.length;
  return node.builder.tensor(
    w.name,
    w.shape,
    { dtype: 'f32' },
    lazyConstant(() => {
      return Float32Array.from(constant.load(), (q, i) => {
        const c = entries > 1 ? Math.floor(i / inner) % entries : 0;
        return (q - quant.zeroPoint[c]) * quant.scale[c];
      });
    }),
  );
}
