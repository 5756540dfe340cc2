/**
 * Which way each overlapping layer walks. In a chain maps alternate between the two ends of the arena: a layer
 * whose input lies at the top writes below it, forwards; the next one finds its input at the bottom and writes
 * above it, from the last pixel to the first. So a chain takes what its largest layer takes.
 */
import type { Network } from '../../3-schedule/steps.ts';
import type { LayerFigures } from './layers.ts';
import type { Direction } from './raster-distance.ts';
import type { Directions } from './sampled.ts';

/** Directions that alternate, beginning with the inputs at one end; steps that `runs` leaves out run whole. */
export function alternating(
  network: Network,
  layers: readonly LayerFigures[],
  inputsAtTop: boolean,
  runs: (layer: LayerFigures) => boolean,
): Directions {
  const top = network.roots.map(() => inputsAtTop);
  const largest = (list: readonly number[]) =>
    list.reduce<number | undefined>(
      (a, b) => (a === undefined || network.roots[b].bytes > network.roots[a].bytes ? b : a),
      undefined,
    );
  return layers.map((layer) => {
    const from = layer.inPlace ?? largest(layer.dying) ?? largest(layer.inputs);
    if (from === undefined) return undefined;
    const stays = layer.inPlace !== undefined;
    for (const out of layer.outputs) if (out !== from) top[out] = stays ? top[from] : !top[from];
    if (!layer.overlaps || !runs(layer)) return undefined;
    return top[from] ? 'forward' : 'backward';
  });
}

/** One layer the other way, or whole, or overlapping after all. */
export function flipped(directions: Directions, step: number, to: Direction | undefined): Directions {
  return directions.map((d, s) => (s === step ? to : d));
}
