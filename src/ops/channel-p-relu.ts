/** x for x >= 0, slope[c] * x below; one entry serves all channels. */
import { checkChannels } from './channel-affine.ts';
import { unaryOperator } from './unary.ts';

export type ChannelPReluAttributes = { readonly slope: readonly number[] };

export const channelPRelu = unaryOperator<ChannelPReluAttributes>({
  kind: 'ChannelPRelu',
  perChannel: true,
  real(attrs) {
    const slope = Float32Array.from(attrs.slope);
    const many = slope.length > 1;
    return (x, c) => (x < 0 ? x * slope[many ? c : 0] : x);
  },
  check: ({ slope }, shape) => checkChannels('slope', slope, shape),
});
