/**
 * What QEMU emulates, core by core: the machine, where its flash and RAM lie, and how to compile for it. Sizes are
 * QEMU's own (`info mtree`); a real part gets its share of them (layout.ts).
 */
import type { Core } from './parts.ts';

export interface EmulatedMachine {
  /** QEMU's name. */
  readonly qemu: string;
  /** Flags of the compiler for its core. */
  readonly cpu: readonly string[];
  readonly flashOrigin: number;
  readonly flashBytes: number;
  readonly ramOrigin: number;
  readonly ramBytes: number;
  /** How the firmware fences memory off. */
  readonly fences: 'armv7m' | 'armv8m' | 'none';
}

const KB = 1024;
const MB = 1024 * KB;

/** In order of preference for each core. */
export const machines: Readonly<Partial<Record<Core, readonly EmulatedMachine[]>>> = {
  'cortex-m0': [
    {
      qemu: 'microbit',
      cpu: ['-mcpu=cortex-m0', '-mfloat-abi=soft'],
      flashOrigin: 0,
      flashBytes: 256 * KB,
      ramOrigin: 0x20000000,
      ramBytes: 16 * KB,
      fences: 'none',
    },
  ],
  'cortex-m3': [
    {
      qemu: 'netduino2',
      cpu: ['-mcpu=cortex-m3', '-mfloat-abi=soft'],
      flashOrigin: 0x08000000,
      flashBytes: MB,
      ramOrigin: 0x20000000,
      ramBytes: 128 * KB,
      fences: 'armv7m',
    },
  ],
  'cortex-m4': [
    {
      qemu: 'netduinoplus2',
      cpu: ['-mcpu=cortex-m4', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'],
      flashOrigin: 0x08000000,
      flashBytes: MB,
      ramOrigin: 0x20000000,
      ramBytes: 192 * KB,
      fences: 'armv7m',
    },
    {
      qemu: 'mps2-an386',
      cpu: ['-mcpu=cortex-m4', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'],
      flashOrigin: 0,
      flashBytes: 4 * MB,
      ramOrigin: 0x20000000,
      ramBytes: 4 * MB,
      fences: 'armv7m',
    },
  ],
  'cortex-m7': [
    {
      qemu: 'mps2-an500',
      cpu: ['-mcpu=cortex-m7', '-mfloat-abi=hard', '-mfpu=fpv5-d16'],
      flashOrigin: 0,
      flashBytes: 4 * MB,
      ramOrigin: 0x20000000,
      ramBytes: 4 * MB,
      fences: 'armv7m',
    },
  ],
  'cortex-m33': [
    {
      qemu: 'mps2-an505',
      cpu: ['-mcpu=cortex-m33', '-mfloat-abi=hard', '-mfpu=fpv5-sp-d16'],
      flashOrigin: 0x10000000,
      flashBytes: 4 * MB,
      ramOrigin: 0x38000000,
      ramBytes: 4 * MB,
      fences: 'armv8m',
    },
  ],
  'cortex-m55': [
    {
      qemu: 'mps3-an547',
      cpu: ['-mcpu=cortex-m55', '-mfloat-abi=hard'],
      flashOrigin: 0,
      flashBytes: 512 * KB,
      ramOrigin: 0x20000000,
      ramBytes: 512 * KB,
      fences: 'armv8m',
    },
  ],
};
