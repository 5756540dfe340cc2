/** ChannelShuffle: within each pixel, channels as a [groups, C / groups] table are read column by column. */
import { TidemarkError } from '../errors.ts';
import { channelsOf } from '../graph/graph.ts';
import { movedQuant, movedType } from './move.ts';
import type { OperatorDef } from './operator.ts';
import { copyKernel } from './pixel-map.ts';

export type ChannelShuffleAttributes = { readonly groups: number };

export const channelShuffle: OperatorDef<ChannelShuffleAttributes> = {
  kind: 'ChannelShuffle',
  access: 'pixel',
  infer([x], { groups }, given) {
    const channels = channelsOf(x!.shape);
    if (!(groups > 0) || channels % groups !== 0) {
      throw new TidemarkError(
        'operator-invalid',
        `the ${channels} channels of ${x!.name} cannot be split into ${groups} groups`,
      );
    }
    const last = x!.shape.length - 1;
    const quant = movedQuant(x!, (axis) => (axis === last ? undefined : axis));
    return [{ shape: x!.shape, ...movedType(x!, given, quant) }];
  },
  reads: (_ctx, _index, lo, hi) => ({ lo, hi }),
  macs: () => 0,
  kernel({ op, inputs }) {
    const { groups } = op.attrs;
    const channels = channelsOf(inputs[0]!.shape);
    const each = channels / groups;
    const table = Array.from({ length: channels }, (_, c) => (c % groups) * each + Math.floor(c / groups));
    return copyKernel({ source: (p) => p }, table);
  },
};
