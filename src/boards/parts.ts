/** Parts: flash, RAM and where these are published. */

export type Core =
  | 'cortex-m0'
  | 'cortex-m0+'
  | 'cortex-m3'
  | 'cortex-m4'
  | 'cortex-m7'
  | 'cortex-m33'
  | 'cortex-m55'
  | 'cortex-m85'
  | 'risc-v'
  | 'xtensa';

export interface Part {
  /** As `--board` takes it. */
  readonly name: string;
  /** As its maker writes it. */
  readonly title: string;
  readonly core: Core;
  readonly flashBytes: number;
  /** The largest run of RAM in one piece: an arena is one array. */
  readonly ramBytes: number;
  readonly source: string;
  /** What else there is to know. */
  readonly note?: string;
}

const KB = 1024;
const MB = 1024 * KB;

export const parts: readonly Part[] = [
  {
    name: 'stm32f405',
    title: 'STM32F405RG',
    core: 'cortex-m4',
    flashBytes: MB,
    ramBytes: 128 * KB,
    source: 'ST DS8626',
    note: '64 KB more, core-coupled, lie elsewhere',
  },
];

export function partOf(name: string): Part | undefined {
  return parts.find((p) => p.name === name.toLowerCase());
}
