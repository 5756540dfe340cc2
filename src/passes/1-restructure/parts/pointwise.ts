/**
 * Parts of operators that make each pixel from the same pixel of their inputs: elementwise ones with broadcasting, and
 * those that work within a pixel's channels.
 */
import type { OpContext } from '../../../ops/operator.ts';
import { definitionOf } from '../../../ops/registry.ts';
import type { Interval } from '../interval.ts';
import type { AxisPart, Need, PictureAxis } from '../part.ts';

const PAIRS = new Set(
  'Add Sub Mul Div Min Max Pow SquaredDifference FloorDiv Mod PRelu Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Where'.split(
    ' ',
  ),
);

/** Work along `axis` within each pixel when that is the channels. */
const ALONG_AXIS = new Set('Softmax LogSoftmax Hardmax LpNormalization LayerNormalization'.split(' '));
const REDUCTIONS = new Set(
  'ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL2 ArgMax ArgMin'.split(' '),
);

export function pointwisePart(ctx: OpContext, axis: PictureAxis, want: Interval): AxisPart | undefined {
  const { op, inputs, outputs } = ctx;
  const [x] = inputs;
  const { shape } = outputs[0];
  const same = (i: number): Need => {
    const t = inputs[i];
    if (!t) return 'whole';
    const at = axis - (shape.length - t.shape.length);
    return at < 0 || (t.shape[at] === 1 && shape[axis] !== 1) ? 'whole' : want;
  };
  if (PAIRS.has(op.kind)) return { made: want, needs: inputs.map((_, i) => same(i)) };
  if (x?.shape.length !== 4 || x.shape[axis] !== shape[axis]) return undefined;
  const onlyFirst = { made: want, needs: inputs.map((_, i): Need => (i === 0 ? want : 'whole')) };
  return keepsPixels(ctx, axis) ? onlyFirst : undefined;
}

/** True where output pixel p needs pixel p of the first input and nothing else of it, along this axis. */
function keepsPixels({ op }: OpContext, axis: PictureAxis): boolean {
  const { kind, attrs } = op;
  if (definitionOf(kind).unary) return true;
  if (ALONG_AXIS.has(kind)) return attrs.axis !== axis && (kind !== 'LayerNormalization' || attrs.axis === 3);
  if (REDUCTIONS.has(kind)) {
    const axes = (attrs.axes ?? [attrs.axis]) as readonly number[];
    return attrs.keepDims === true && !axes.includes(axis);
  }
  if (kind === 'FullyConnected') return attrs.flatten !== true;
  return kind === 'LRN' || kind === 'ChannelShuffle';
}
