/** Greatest and least: compared as stored, since encoding keeps order. */
import type { MakeReducer } from './reduce.ts';
import { dequantiser, integerRange, quantiser, sameType } from './stored.ts';

export function extreme(greatest: boolean): MakeReducer {
  return (from, to, _count, dialect) => {
    const [least, most] = from.dtype === 'f32' ? [-Infinity, Infinity] : integerRange(from.dtype);
    const decode = dequantiser(from);
    const encode = quantiser(to, dialect);
    const same = sameType(from, to);
    return {
      state: from.dtype === 'f32' ? 'f32' : 'i32',
      start: greatest ? least : most,
      step: (best, value) => (greatest ? Math.max(best, value) : Math.min(best, value)),
      finish: (best) => (same ? best : encode(decode(best, 0), 0)),
    };
  };
}
