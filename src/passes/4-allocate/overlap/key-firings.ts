/**
 * The few firings of a step that decide how far its output must lie from its inputs. A layer may have a hundred
 * thousand firings; all that allocation needs of them is where the output comes closest to what is still read.
 */
import { channelsOf, elementBytes, type Graph, type TensorId, tensorBytes } from '../../../graph/graph.ts';
import { elementAt, type Storage } from '../../../graph/storage.ts';
import { type Firings, firingsOf, type OperatorFirings } from '../../../plan/firing.ts';
import { rowRun } from '../../3-schedule/row-run.ts';
import { type Direction, type Distance, type Granularity, rasterDistance } from './raster-distance.ts';
import { rasterOf } from './window-of.ts';

/** How one operator is fired. */
export interface OverlappedFiring {
  readonly firings: OperatorFirings;
  readonly run: number;
  readonly granularity: Granularity;
  readonly direction: Direction;
  /**
   * By elements, bytes of a pixel that wait until its reads are over: an element, as published, or nothing, where
   * a kernel writes its run as it likes.
   */
  readonly heldBack: number;
}

export function overlappedFiring(
  graph: Graph,
  operator: number,
  granularity: Granularity,
  direction: Direction,
  heldBack = elementBytes(graph.tensors[graph.operators[operator].outputs[0]]),
): OverlappedFiring {
  const run = granularity === 'row' ? rowRun(graph, graph.operators[operator]) : 1;
  const reverse = direction === 'backward';
  const firings = firingsOf(graph, { kind: 'operator', index: operator, run, reverse }) as OperatorFirings;
  return { firings, run, granularity, direction, heldBack };
}

/** How far the root of input `i` must lie from the output's, and when they come that close. */
export function distanceFrom(graph: Graph, storage: Storage, fired: OverlappedFiring, i: number): Distance {
  const { firings, granularity, direction, heldBack } = fired;
  const input = placeOf(graph, storage, firings.inputs[i].tensor);
  const output = placeOf(graph, storage, firings.outputs[0]);
  const raster = firings.inputs[i].index === 0 ? rasterOf(firings.context) : undefined;
  // The closed form is of tensors that lie by themselves.
  if (!raster || granularity === 'row' || input.isPart || output.isPart)
    return replayedDistance(graph, storage, fired, i);
  const { pixelBytes: inPixelBytes } = input;
  const layer = { ...raster, inPixelBytes, outPixelBytes: output.pixelBytes, heldBack };
  return rasterDistance(layer, granularity, direction);
}

/** The same, found by going through all firings: for any operator, and to hold the closed form to. */
export function replayedDistance(
  graph: Graph,
  storage: Storage,
  fired: OverlappedFiring,
  i: number,
): Distance {
  const { firings, granularity, direction, heldBack } = fired;
  const input = placeOf(graph, storage, firings.inputs[i].tensor);
  const output = placeOf(graph, storage, firings.outputs[0]);
  const backward = direction === 'backward';
  const needs = needsOf(firings, i, backward);
  let bytes = Number.NEGATIVE_INFINITY;
  let firing = -1;
  const consider = (f: number, needed: number, less: number) => {
    if (needed === NOTHING) return;
    const { lo, hi } = firings.writes(f);
    const apart = backward
      ? input.end(needed - 1) - input.rootBytes - (output.start(lo) + less - output.rootBytes)
      : output.end(hi - 1) - less - input.start(needed);
    if (apart > bytes) {
      bytes = apart;
      firing = f;
    }
  };
  for (let f = 0; f < firings.count; f++) {
    consider(f, needs[f + 1], 0);
    // All of a pixel but what is held back goes over what the pixel itself still reads.
    if (granularity === 'element' && output.pixelBytes > heldBack) consider(f, needs[f], heldBack);
  }
  return { bytes, firing };
}

const NOTHING = -1;

/** The first pixel (backward: the one past the last) that firings from f on read; NOTHING where they read none. */
export function needsOf(firings: Firings, i: number, backward: boolean): Int32Array {
  const needs = new Int32Array(firings.count + 1).fill(NOTHING);
  for (let f = firings.count - 1; f >= 0; f--) {
    const { lo, hi } = firings.reads(i, f);
    const later = needs[f + 1];
    if (hi <= lo) needs[f] = later;
    else if (backward) needs[f] = Math.max(hi, later);
    else needs[f] = later === NOTHING ? lo : Math.min(lo, later);
  }
  return needs;
}

/** A tensor in its root, in bytes from the root's first. */
interface PlaceBytes {
  readonly pixelBytes: number;
  readonly rootBytes: number;
  /** Lies inside another tensor. */
  readonly isPart: boolean;
  start(pixel: number): number;
  end(pixel: number): number;
}

function placeOf(graph: Graph, storage: Storage, id: TensorId): PlaceBytes {
  const tensor = graph.tensors[id];
  const place = storage.places[id];
  const size = elementBytes(tensor);
  const pixelBytes = channelsOf(tensor.shape) * size;
  const start = (pixel: number) => elementAt(place, pixel) * size;
  return {
    pixelBytes,
    rootBytes: tensorBytes(graph.tensors[place.root]),
    isPart: place.root !== id,
    start,
    end: (pixel) => start(pixel) + pixelBytes,
  };
}
