/** What YuNet's outputs say: the face with the best score, and how far two such boxes overlap. */

export interface Face {
  readonly score: number;
  /** Pixels of the input: left, top, width, height. */
  readonly box: readonly [number, number, number, number];
}

/** Real values of an output, by its name. */
export type Outputs = ReadonlyMap<string, ArrayLike<number>>;

const SIDE = 320;

/**
 * The best of all anchors. An anchor's score is the root of class times objectness; its box is a centre offset from
 * the anchor's corner and the logarithm of a size, both in strides.
 */
export function bestFace(outputs: Outputs): Face {
  let best: Face = { score: -1, box: [0, 0, 0, 0] };
  for (const stride of [8, 16, 32]) {
    const of = (name: string) => outputs.get(`${name}_${stride}`)!;
    const [cls, obj, bbox] = [of('cls'), of('obj'), of('bbox')];
    const side = SIDE / stride;
    for (let i = 0; i < cls.length; i++) {
      const score = Math.sqrt(Math.max(0, cls[i]) * Math.max(0, obj[i]));
      if (score <= best.score) continue;
      const [dx, dy, dw, dh] = [0, 1, 2, 3].map((k) => bbox[4 * i + k]);
      const [width, height] = [Math.exp(dw) * stride, Math.exp(dh) * stride];
      const left = ((i % side) + dx) * stride - width / 2;
      const top = (Math.floor(i / side) + dy) * stride - height / 2;
      best = { score, box: [left, top, width, height] };
    }
  }
  return best;
}

/** Intersection over union. */
export function overlap(a: Face, b: Face): number {
  const [ax, ay, aw, ah] = a.box;
  const [bx, by, bw, bh] = b.box;
  const width = Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx));
  const height = Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by));
  return (width * height) / (aw * ah + bw * bh - width * height);
}
