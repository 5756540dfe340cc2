/** The checker's memory: for every byte of a bank, which root tensor it belongs to and which of its bytes it is. */
import { channelsOf, elementBytes, type Graph, pixelsOf, type TensorId } from '../graph/graph.ts';
import { elementAt, type Storage } from '../graph/storage.ts';
import type { RowStep } from '../ops/operator.ts';
import type { PlanBuffer } from './plan.ts';

export class Violation extends Error {}

export function fail(message: string): never {
  throw new Violation(message);
}

/** Owner 0: nobody. Positive: root tensor id + 1. Negative: working memory, or staging, of one actor. */
export interface Shadow {
  readonly owner: Int32Array;
  readonly byte: Int32Array;
}

/** One consumer of a root: of the root's bytes it still needs some of [needFrom, needTo), and no others. */
export interface Reader {
  needFrom: number;
  needTo: number;
}

export interface Root {
  readonly id: TensorId;
  readonly buffer: PlanBuffer;
  readonly shadow: Shadow;
  readonly bytes: number;
  /** Bytes that lie side by side: all of them, a ring, or a piece. */
  readonly stretchBytes: number;
  /** Where each stretch begins, from the buffer's offset on; left out where all begin there. */
  readonly starts?: Int32Array;
  readonly readers: Reader[];
  /** Must be whole at the end: a graph output, or an input that survives. */
  readonly kept: boolean;
}

/** Address of a byte of a root. */
export function addressOf(root: Root, b: number): number {
  const stretch = Math.floor(b / root.stretchBytes);
  return root.buffer.offset + (root.starts ? root.starts[stretch] : 0) + (b - stretch * root.stretchBytes);
}

/** Bytes from byte b on that lie side by side. */
export function sideBySide(root: Root, b: number): number {
  return root.stretchBytes - (b % root.stretchBytes);
}

/** Where a tensor's pixels lie in its root, in bytes. */
export interface BytePlace {
  readonly offset: number;
  /** From pixel to pixel of a row. */
  readonly stride: number;
  /** Where rows lie further apart than their pixels reach. */
  readonly rows?: RowStep;
  readonly pixelBytes: number;
}

export interface Piece extends BytePlace {
  readonly root: Root;
  /** Pixels lie side by side, with nothing between them. */
  readonly adjoining: boolean;
  readonly elementBytes: number;
  readonly pixels: number;
}

/** First byte of a pixel in the root. */
export function byteAt({ offset, stride, rows }: BytePlace, pixel: number): number {
  return elementAt({ offset, pixelStride: stride, rows }, pixel);
}

export function bytePlaceOf(graph: Graph, storage: Storage, id: TensorId): BytePlace {
  const t = graph.tensors[id];
  const { offset, pixelStride, rows } = storage.places[id];
  const size = elementBytes(t);
  return {
    offset: offset * size,
    stride: pixelStride * size,
    ...(rows ? { rows: { pixels: rows.pixels, stride: rows.stride * size } } : {}),
    pixelBytes: channelsOf(t.shape) * size,
  };
}

export function pieceOf(
  graph: Graph,
  storage: Storage,
  roots: ReadonlyMap<TensorId, Root>,
  id: TensorId,
): Piece {
  const t = graph.tensors[id];
  const place = storage.places[id];
  return {
    ...bytePlaceOf(graph, storage, id),
    root: roots.get(place.root)!,
    adjoining: !place.rows && place.pixelStride === channelsOf(t.shape),
    elementBytes: elementBytes(t),
    pixels: pixelsOf(t.shape),
  };
}
