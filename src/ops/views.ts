/** Views for kernels: contiguous ones here; the arena's are made by the executor (src/run/). */
import type { TypedArray } from '../graph/graph.ts';
import type { Scratch, View } from './operator.ts';

/** All pixels side by side from element `base` of `data` on. */
export function contiguousView(data: TypedArray, channels: number, base = 0): View {
  return { data, contiguous: true, at: (pixel) => base + pixel * channels };
}

/** Working memory over part of a buffer. `byteOffset` is a multiple of 4. */
export function scratchOver(buffer: ArrayBuffer, byteOffset: number, bytes: number): Scratch {
  return {
    f32: new Float32Array(buffer, byteOffset, bytes >> 2),
    i32: new Int32Array(buffer, byteOffset, bytes >> 2),
    u8: new Uint8Array(buffer, byteOffset, bytes),
  };
}
