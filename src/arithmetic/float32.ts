/** Elementary functions rounded once to float32. */
export const exp32 = (x: number): number => Math.fround(Math.exp(x));
export const log32 = (x: number): number => Math.fround(Math.log(x));
export const sqrt32 = (x: number): number => Math.fround(Math.sqrt(x));
export const pow32 = (x: number, y: number): number => Math.fround(x ** y);
