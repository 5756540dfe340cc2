/** y = x * scale[c] + shift[c], each step in float32; one entry serves all channels. */
import { TidemarkError } from '../errors.ts';
import { channelsOf } from '../graph/graph.ts';
import { unaryOperator } from './unary.ts';

export type ChannelAffineAttributes = {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
};

/** Throws unless a list of parameters has one entry, or one a channel. */
export function checkChannels(name: string, list: readonly number[], shape: readonly number[]): void {
  const channels = channelsOf(shape);
  if (list.length === 1 || list.length === channels) return;
  throw new TidemarkError(
    'operator-invalid',
    `${name} has ${list.length} entries for ${channels} channels; give one, or one a channel`,
  );
}

export const channelAffine = unaryOperator<ChannelAffineAttributes>({
  kind: 'ChannelAffine',
  perChannel: true,
  real(attrs) {
    const scale = Float32Array.from(attrs.scale);
    const shift = Float32Array.from(attrs.shift);
    const manyScales = scale.length > 1;
    const manyShifts = shift.length > 1;
    return (x, c) => Math.fround(x * scale[manyScales ? c : 0]) + shift[manyShifts ? c : 0];
  },
  check({ scale, shift }, shape) {
    checkChannels('scale', scale, shape);
    checkChannels('shift', shift, shape);
  },
});
