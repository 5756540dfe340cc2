/** Which kernels are written for a part's processor. */
import { type Machine, PLAIN } from '../kernels/machine.ts';
import type { Core } from './parts.ts';

export function kernelsFor(_core: Core): Machine {
  return PLAIN;
}
