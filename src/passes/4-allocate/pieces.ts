/** Rows that are placed one by one: when each is first written, and when nothing of it is needed any more. */
import type { RootInfo } from '../3-schedule/steps.ts';
import type { Lifetime } from './lifetimes.ts';

/** When each piece of a root is first written, and when it is over: several may write and read it one after another. */
export interface PieceTimes {
  readonly births: Int32Array;
  readonly deaths: Int32Array;
  write(lo: number, hi: number, time: number): void;
  read(lo: number, hi: number, over: number): void;
}

export function pieceTimesOf(info: RootInfo, pieceElements: number): PieceTimes {
  const count = Math.ceil(info.elements / pieceElements);
  const births = new Int32Array(count).fill(-1);
  const deaths = new Int32Array(count);
  const note = (lo: number, hi: number, death: number): void => {
    for (let p = Math.floor(lo / pieceElements); p * pieceElements < hi; p++)
      deaths[p] = Math.max(deaths[p], death);
  };
  return {
    births,
    deaths,
    write(lo, hi, time) {
      for (let p = Math.floor(lo / pieceElements); p * pieceElements < hi; p++)
        if (births[p] < 0) births[p] = time;
      note(lo, hi, time + 1);
    },
    read: note,
  };
}

/** A lifetime for each piece that is ever written: from its first byte's writing until nothing of it is needed. */
export function singles(root: number, info: RootInfo, pieceElements: number, times: PieceTimes): Lifetime[] {
  return Array.from(times.births, (birth, piece) => ({ birth, piece, death: times.deaths[piece] }))
    .filter(({ birth }) => birth >= 0)
    .map(({ birth, death, piece }) => {
      const bytes = Math.min(pieceElements, info.elements - piece * pieceElements) * info.elementBytes;
      return block({ name: `${info.name}[${piece}]`, root, piece, bytes, birth, death });
    });
}

export type Frame = Pick<
  Lifetime,
  'name' | 'root' | 'piece' | 'step' | 'staging' | 'ring' | 'bytes' | 'birth' | 'death'
>;

/** Live as a whole all the time: rings and working memory. */
export function block(frame: Frame): Lifetime {
  return {
    ...frame,
    times: Int32Array.of(frame.birth),
    lo: Int32Array.of(0),
    hi: Int32Array.of(frame.bytes),
  };
}
