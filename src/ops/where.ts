/** a where the condition holds, else b; all three broadcast. Quantised operands share the output's type. */
import { TidemarkError } from '../errors.ts';
import { channelsOf } from '../graph/graph.ts';
import { sameShapeInputs } from './binary.ts';
import { broadcastShape, pixelMap } from './broadcast.ts';
import { coreOutputType } from './core-type.ts';
import type { OperatorDef } from './operator.ts';
import { requantize } from './requantize.ts';
import { sameType } from './stored.ts';
import { storedFunction } from './unary.ts';

export const where: OperatorDef = {
  kind: 'Where',
  access: 'pixel',
  infer([condition, a, b], _attrs, given) {
    if (!condition || !a || !b) throw new TidemarkError('operator-invalid', 'Where needs three inputs');
    if (a.dtype !== b.dtype) {
      throw new TidemarkError(
        'type-unsupported',
        `Where of ${a.dtype} and ${b.dtype}: both must be of one type; cast one of them`,
      );
    }
    const type = given?.[0] ?? a;
    const shape = broadcastShape('Where', [condition.shape, a.shape, b.shape]);
    return [{ shape, dtype: type.dtype, quant: type.quant }];
  },
  reads: ({ inputs, outputs }, index, lo, hi) =>
    pixelMap(inputs[index]!.shape, outputs[0].shape).reads(lo, hi),
  inPlace: sameShapeInputs,
  macs: () => 0,
  kernel({ op, inputs, outputs, dialect }) {
    const { shape } = outputs[0];
    const channels = channelsOf(shape);
    const to = coreOutputType(op.epilogue, outputs[0]);
    const maps = inputs.map((t) => pixelMap(t!.shape, shape));
    const [sc, sa, sb] = maps.map((m) => m.channelStep);
    const [fa, fb] = inputs
      .slice(1)
      .map((t) =>
        sameType(t!, to) ? (v: number) => v : storedFunction(requantize.unary!, {}, t!, to, dialect),
      );
    return ([condition, a, b], [y], lo, hi) => {
      for (let p = lo; p < hi; p++) {
        const h = condition!.at(maps[0].at(p));
        const i = a!.at(maps[1].at(p));
        const j = b!.at(maps[2].at(p));
        const o = y.at(p);
        for (let c = 0; c < channels; c++) {
          const chosen = condition!.data[h + c * sc] !== 0;
          y.data[o + c] = chosen ? fa(a!.data[i + c * sa], c) : fb(b!.data[j + c * sb], c);
        }
      }
    };
  },
};
