/**
 * Relaxed SIMD where the host has it: a second module whose float multiply-adds round once, and a loader that asks the
 * host which of the two it takes.
 */
import { ModuleBuilder } from './encode/module.ts';
import { LOADER } from './loader.ts';

/** A module of one multiply-add that rounds once: valid where the host has relaxed SIMD. */
export function relaxedProbe(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const add = module.func('probe', { params: [], results: [] }, (b) => {
    for (let i = 0; i < 3; i++) b.i32(0).op('i32x4.splat');
    b.op('f32x4.relaxed_madd').op('drop');
  });
  module.exportFunc('probe', add);
  return module.encode();
}

/** True where this program's host has relaxed SIMD. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe());
}

const PLAIN_SOURCE = `new URL('./model.wasm', import.meta.url)`;

/** The loader that takes model.relaxed.wasm where the host has relaxed SIMD, and model.wasm elsewhere. */
export function relaxedLoader(): string {
  const [before, after] = LOADER.split(PLAIN_SOURCE);
  return `${before}new URL(RELAXED ? './model.relaxed.wasm' : './model.wasm', import.meta.url)${after}
/** Whether the host multiplies and adds floats in one step. */
const RELAXED = WebAssembly.validate(new Uint8Array([${[...relaxedProbe()].join(', ')}]));
`;
}
