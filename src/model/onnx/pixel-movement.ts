/**
 * Reshapes and transpositions of channels-first files that are one pixel operator on channels last:
 * ChannelShuffle, DepthToSpace, SpaceToDepth. They are recognised by the way they walk through memory, however
 * the file spells them.
 */
import type { Attributes } from '../../graph/graph.ts';
import { plainView, reshapedView, sameWalk, transposedView, type View, type Walk, walkOf } from './layout.ts';

export interface PixelMovement {
  readonly kind: 'ChannelShuffle' | 'DepthToSpace' | 'SpaceToDepth';
  readonly attrs: Attributes;
  /** Shape that the operator wants its input in. */
  readonly from: readonly number[];
}

/** `walk` visits a tensor of shape `from` in the raster order of `shape`, the last dimension being channels. */
export function pixelMovement(
  from: readonly number[],
  shape: readonly number[],
  walk: Walk,
): PixelMovement | undefined {
  return shuffle(shape, walk) ?? blocks(from, shape, walk);
}

function shuffle(shape: readonly number[], walk: Walk): PixelMovement | undefined {
  const channels = shape[shape.length - 1];
  const minor = walk[walk.length - 1];
  const major = walk[walk.length - 2];
  if (!major || minor.size * major.size !== channels || major.stride !== 1 || minor.stride !== major.size)
    return undefined;
  const pixels = walk.slice(0, -2);
  if (pixels.length > 1 || (pixels.length === 1 && pixels[0].stride !== channels)) return undefined;
  return { kind: 'ChannelShuffle', attrs: { groups: minor.size }, from: shape };
}

function blocks(from: readonly number[], shape: readonly number[], walk: Walk): PixelMovement | undefined {
  if (shape.length !== 4 || from.length !== 4) return undefined;
  const up = shape[1] / from[1];
  const down = from[1] / shape[1];
  for (const order of ['DCR', 'CRD'] as const) {
    if (up > 1 && fits(from, shape, up) && sameWalk(walk, walkOf(depthToSpaceView(from, up, order)))) {
      return { kind: 'DepthToSpace', attrs: { block: up, order }, from };
    }
    if (down > 1 && fits(shape, from, down) && sameWalk(walk, walkOf(spaceToDepthView(from, down, order)))) {
      return { kind: 'SpaceToDepth', attrs: { block: down, order }, from };
    }
  }
  return undefined;
}

/** Whether `small`, with blocks of r x r taken from its channels, has the shape `large`. */
function fits(small: readonly number[], large: readonly number[], r: number): boolean {
  const [n, h, w, c] = small;
  return (
    Number.isInteger(r) &&
    large[0] === n &&
    large[1] === h * r &&
    large[2] === w * r &&
    large[3] * r * r === c
  );
}

/** `[N, H, W, (r, r, C) or (C, r, r)]` as `[N, H r, W r, C]`. */
function depthToSpaceView(shape: readonly number[], r: number, order: 'DCR' | 'CRD'): View {
  const [n, h, w, d] = shape;
  const c = d / (r * r);
  const parts = plainView(order === 'DCR' ? [n, h, w, r, r, c] : [n, h, w, c, r, r]);
  const turned = transposedView(parts, order === 'DCR' ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3]);
  return reshapedView(turned, [n, h * r, w * r, c])!;
}

/** `[N, H r, W r, C]` as `[N, H, W, (r, r, C) or (C, r, r)]`. */
function spaceToDepthView(shape: readonly number[], r: number, order: 'DCR' | 'CRD'): View {
  const [n, h, w, c] = shape;
  const parts = plainView([n, h / r, r, w / r, r, c]);
  const turned = transposedView(parts, order === 'DCR' ? [0, 1, 3, 2, 4, 5] : [0, 1, 3, 5, 2, 4]);
  return reshapedView(turned, [n, h / r, w / r, c * r * r])!;
}
