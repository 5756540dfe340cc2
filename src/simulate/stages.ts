/**
 * Stage times and energy on a chip: of a partition's spans, of the layer-by-layer base case and of Layer Fusion. Rows
 * stream while the array works, so that a stage takes the longer of computing and moving.
 */
import type { Fusion } from '../passes/2-partition/layer-fusion.ts';
import type { LayerNet } from '../passes/2-partition/layers.ts';
import type { PartitionSpan } from '../passes/2-partition/partition.ts';
import { rangeOf, setTraffic } from '../passes/2-partition/traffic.ts';
import { type Chip, macsPerCycle } from './chip.ts';
import { layerTime } from './layer-time.ts';

/** What one image costs in a stage. */
export interface StageCost {
  readonly name: string;
  readonly computeSeconds: number;
  readonly transferSeconds: number;
  /** The longer of the two. */
  readonly seconds: number;
  readonly macs: number;
  /** Share of the multipliers at work while the stage computes. */
  readonly arrayUtilisation: number;
  readonly onChipBytes: number;
  readonly offChipBytes: number;
  /** Read once, before the first image: they stay. 0 where they come in with every image. */
  readonly filterBytes: number;
}

/** Work on one chip that is not shared with other chips: time and bytes for one image of a mini-batch. */
export interface AloneCost {
  readonly seconds: number;
  readonly macs: number;
  readonly onChipBytes: number;
  readonly offChipBytes: number;
}

/** Answers for one network on one chip. */
export class ChipCosts {
  readonly net: LayerNet;
  readonly chip: Chip;
  readonly #cycles: readonly number[];
  readonly #onChip: readonly number[];

  constructor(net: LayerNet, chip: Chip) {
    this.net = net;
    this.chip = chip;
    const times = net.layers.map((l) => layerTime(net, l.index, chip));
    this.#cycles = times.map((t) => t.cycles);
    this.#onChip = times.map((t) => t.onChipBytes);
  }

  stage(span: PartitionSpan): StageCost {
    const { layers } = this.net;
    const computeSeconds = this.#compute(span.layers);
    const transferSeconds = span.trafficBytes / this.chip.offChipBytesPerSecond;
    const first = layers[span.layers[0]].name;
    const last = layers[span.layers[span.layers.length - 1]].name;
    return {
      name: span.layers.length > 1 ? `${first} to ${last}` : first,
      computeSeconds,
      transferSeconds,
      seconds: Math.max(computeSeconds, transferSeconds),
      macs: this.#macs(span.layers),
      arrayUtilisation:
        this.#macs(span.layers) / (computeSeconds * this.chip.clockHz * macsPerCycle(this.chip)),
      onChipBytes: this.#moved(span.layers),
      offChipBytes: span.trafficBytes,
      filterBytes: span.fits ? span.filterBytes : 0,
    };
  }

  /** Layer by layer, one image of a mini-batch; filters come in once for all of it. */
  base(batch: number): AloneCost {
    return this.#alone(
      this.net.layers.map(({ index, filterBytes }) => {
        const { readBytes, writeBytes } = setTraffic(this.net, [index]);
        return { layers: [index], bytes: readBytes + writeBytes + filterBytes / batch };
      }),
    );
  }

  /** Layer Fusion's groups one after another on one chip. */
  fusion(fusion: Fusion, batch: number): AloneCost {
    const weights = fusion.filterBytes > 0;
    const cost = this.#alone(
      fusion.groups.map((g) => ({
        layers: rangeOf(g.first, g.last),
        bytes: g.activationBytes + (weights ? g.filterBytes / (g.fits ? batch : 1) : 0),
        macs: g.macs,
      })),
    );
    return cost;
  }

  #alone(
    parts: readonly { readonly layers: readonly number[]; readonly bytes: number; readonly macs?: number }[],
  ): AloneCost {
    let seconds = 0;
    let macs = 0;
    let onChipBytes = 0;
    let offChipBytes = 0;
    for (const { layers, bytes, macs: done } of parts) {
      const plain = this.#macs(layers);
      const more = done !== undefined && plain > 0 ? done / plain : 1;
      const move = bytes / this.chip.offChipBytesPerSecond;
      seconds += Math.max(this.#compute(layers) * more, move) + this.chip.offChipLatencySeconds;
      macs += plain * more;
      onChipBytes += this.#moved(layers) * more;
      offChipBytes += bytes;
    }
    return { seconds, macs, onChipBytes, offChipBytes };
  }

  /** Joules of work, without what a chip draws while it idles. */
  joules(work: {
    readonly macs: number;
    readonly onChipBytes: number;
    readonly offChipBytes: number;
  }): number {
    const { macJoules, onChipByteJoules, offChipByteJoules } = this.chip;
    return (
      work.macs * macJoules + work.onChipBytes * onChipByteJoules + work.offChipBytes * offChipByteJoules
    );
  }

  #compute(layers: readonly number[]): number {
    return layers.reduce((sum, i) => sum + this.#cycles[i], 0) / this.chip.clockHz;
  }

  #macs(layers: readonly number[]): number {
    return layers.reduce((sum, i) => sum + this.net.layers[i].macs, 0);
  }

  #moved(layers: readonly number[]): number {
    return layers.reduce((sum, i) => sum + this.#onChip[i], 0);
  }
}
