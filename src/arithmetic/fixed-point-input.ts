/** How the TFLite reference's 8-bit LOGISTIC and TANH bring a stored input to Q(4). */
import { multiplyByQuantizedMultiplier, quantizeMultiplier } from './tflite.ts';

export interface FixedPointInput {
  /** Least distance from the zero point at which the result is saturated. */
  readonly radius: number;
  /** A distance from the zero point, inside the radius, in Q(4). */
  toRaw(distance: number): number;
}

export function fixedPointInput(scale: number): FixedPointInput {
  const { multiplier, shift } = quantizeMultiplier(scale * 2 ** 27);
  return {
    radius: Math.floor((15 * 2 ** 27) / 2 ** shift),
    toRaw: (distance) => multiplyByQuantizedMultiplier(distance, multiplier, shift),
  };
}
