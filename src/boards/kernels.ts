/** Which kernels are written for a part's processor. */
import { ARM_DSP, HELIUM, type Machine, PLAIN } from '../kernels/machine.ts';
import type { Core } from './parts.ts';

export function kernelsFor(core: Core): Machine {
  if (core === 'cortex-m55') return HELIUM;
  return core === 'cortex-m4' || core === 'cortex-m7' || core === 'cortex-m33' ? ARM_DSP : PLAIN;
}
