/**
 * A chip as the simulation sees it: memory, an array of multipliers and how well a layer's shape fills it, a port to
 * off-chip memory, and what a multiply-accumulate and a byte cost in energy. Presets name the source of each constant;
 * a JSON file of the same form describes any other chip.
 */
import { z } from 'zod';
import { TidemarkError } from '../errors.ts';

const positive = z.number().positive().finite();
const lanes = z.int().min(1);
const energy = z.number().min(0).finite();

export const chipSchema = z
  .strictObject({
    name: z.string().min(1),
    sources: z.record(z.string(), z.string()).optional().describe('where each constant comes from'),
    capacityBytes: z.int().min(1).describe('on-chip memory for filters and rows'),
    array: z
      .strictObject({
        inputChannels: lanes.describe('input channels that are multiplied side by side'),
        outputChannels: lanes.describe('output channels side by side'),
        columns: lanes.describe('output pixels of a row side by side'),
      })
      .describe('multipliers: the product of the three'),
    elementsPerCycle: lanes.describe('results a cycle of layers without multiplications: pools, adds'),
    clockHz: positive,
    offChipBytesPerSecond: positive,
    offChipLatencySeconds: z.number().min(0).finite().describe('before the first byte of a map comes'),
    macJoules: energy,
    onChipByteJoules: energy,
    offChipByteJoules: energy,
    idleWatts: energy.default(0).describe('drawn all the while'),
  })
  .meta({ title: 'Tidemark chip' });

export type Chip = Readonly<z.infer<typeof chipSchema>>;

/** Checks a chip from a file; `where` names it. */
export function parseChip(value: unknown, where: string): Chip {
  const parsed = chipSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  const at = path.length > 0 ? path.join('.') : 'the chip';
  throw new TidemarkError(
    'usage',
    `${where}: ${at}: ${message}; expected the form that docs/pipeline.md shows`,
  );
}

const HOROWITZ = 'Horowitz, ISSCC 2014, 45 nm';

/**
 * Energies of 8-bit arithmetic at 45 nm: an 8-bit multiplication 0.2 pJ and a 32-bit addition 0.1 pJ; 64 bits from a
 * 1 MB memory 100 pJ, from a 32 KB one 20 pJ, from DRAM 1.3 to 2.6 nJ (its lower end is taken).
 */
const INT8_45NM = { macJoules: 0.3e-12, onChipByteJoules: 20e-12 / 8, offChipByteJoules: 1.3e-9 / 8 };

export const chipPresets: readonly Chip[] = [
  {
    name: 'edge',
    sources: {
      capacityBytes: 'Occam (Gondimalla et al., TACO 2022): 3 MB',
      array: 'a choice: 1024 multipliers, as in small accelerators of the time',
      clockHz: 'a choice: 1 GHz',
      offChipBytesPerSecond: 'LPDDR4-3200, 32 bits wide: 12.8 GB/s (JEDEC JESD209-4)',
      offChipLatencySeconds: 'a choice: 100 ns',
      energies: `${HOROWITZ}; on-chip bytes as from 32 KB banks`,
    },
    capacityBytes: 3 * 1024 * 1024,
    array: { inputChannels: 8, outputChannels: 16, columns: 8 },
    elementsPerCycle: 128,
    clockHz: 1e9,
    offChipBytesPerSecond: 12.8e9,
    offChipLatencySeconds: 100e-9,
    ...INT8_45NM,
    idleWatts: 0,
  },
  {
    name: 'tpu-v1',
    sources: {
      capacityBytes: 'Jouppi et al., ISCA 2017: 24 MiB of unified buffer and 4 MiB of accumulators',
      array: 'the same: 256 x 256, weights stay',
      clockHz: 'the same: 700 MHz',
      offChipBytesPerSecond: 'the same: 34 GB/s of weight memory',
      offChipLatencySeconds: 'a choice: 100 ns',
      energies: HOROWITZ,
    },
    capacityBytes: 28 * 1024 * 1024,
    array: { inputChannels: 256, outputChannels: 256, columns: 1 },
    elementsPerCycle: 256,
    clockHz: 700e6,
    offChipBytesPerSecond: 34e9,
    offChipLatencySeconds: 100e-9,
    ...INT8_45NM,
    idleWatts: 0,
  },
  {
    name: 'diannao',
    sources: {
      capacityBytes: 'Chen et al., ASPLOS 2014: 44 KB in three buffers',
      array: 'the same: 16 neurons of 16 synapses',
      clockHz: 'the same: 0.98 GHz',
      offChipBytesPerSecond: 'a choice: 12.8 GB/s',
      offChipLatencySeconds: 'a choice: 100 ns',
      energies: HOROWITZ,
    },
    capacityBytes: 44 * 1024,
    array: { inputChannels: 16, outputChannels: 16, columns: 1 },
    elementsPerCycle: 16,
    clockHz: 0.98e9,
    offChipBytesPerSecond: 12.8e9,
    offChipLatencySeconds: 100e-9,
    ...INT8_45NM,
    idleWatts: 0,
  },
  {
    name: 'microcontroller',
    sources: {
      capacityBytes: 'STM32H743: 1 MiB of SRAM (datasheet)',
      array: 'Cortex-M7: two 16-bit multiply-accumulates a cycle (SMLAD)',
      clockHz: 'STM32H743: 480 MHz',
      offChipBytesPerSecond: 'Quad-SPI at 133 MHz, 4 bits wide: 66.5 MB/s',
      offChipLatencySeconds: 'a choice: 1 us',
      energies: HOROWITZ,
    },
    capacityBytes: 1024 * 1024,
    array: { inputChannels: 2, outputChannels: 1, columns: 1 },
    elementsPerCycle: 1,
    clockHz: 480e6,
    offChipBytesPerSecond: 66.5e6,
    offChipLatencySeconds: 1e-6,
    ...INT8_45NM,
    idleWatts: 0,
  },
];

/** Throws `usage`, with all names, where there is no such preset. */
export function chipPreset(name: string): Chip {
  const chip = chipPresets.find((c) => c.name === name);
  if (!chip)
    throw new TidemarkError(
      'usage',
      `no chip ${name}: expected one of ${chipPresets.map((c) => c.name).join(', ')}`,
    );
  return chip;
}

export function macsPerCycle({ array }: Chip): number {
  return array.inputChannels * array.outputChannels * array.columns;
}
