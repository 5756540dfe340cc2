/** A module held against an engine and against a validator that is not the engine's. */
import wabtFactory from 'wabt';

const wabt = await wabtFactory();

/** Throws with the validator's words where either refuses. */
export function validate(bytes: Uint8Array<ArrayBuffer>): void {
  const module = wabt.readWasm(bytes, {
    simd: true,
    relaxed_simd: true,
    bulk_memory: true,
    readDebugNames: true,
  });
  try {
    module.validate();
  } finally {
    module.destroy();
  }
  if (!WebAssembly.validate(bytes)) throw new Error('the engine refuses the module');
}
