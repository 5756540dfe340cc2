/**
 * Where everything lies in the module's one memory: constants first, so that small addresses are theirs, then the
 * arena of exactly the planned size, then inputs that lie outside it.
 */
import type { Region } from '../../kernels/ir.ts';
import type { Program } from '../../kernels/program.ts';

export const PAGE_BYTES = 65536;

export interface Layout {
  /** Address of each data object. */
  readonly data: readonly number[];
  /** Constants lie in [dataStart, dataEnd). */
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly arena: number;
  /** Memory banks beside the arena, right behind it. */
  readonly banks: readonly number[];
  /** Address of inputs that lie outside the arena; undefined for others. */
  readonly inputs: readonly (number | undefined)[];
  readonly totalBytes: number;
  readonly pages: number;
}

const align = (address: number, to: number) => Math.ceil(address / to) * to;

/** A full vector, so that no vector that begins aligned crosses a cache line. */
const LEAST_ALIGN = 16;

export function layOut(program: Program): Layout {
  // Nothing lies at address 0: a place that was forgotten is then seen in tests.
  let at = LEAST_ALIGN;
  const take = (bytes: number, alignment: number) => {
    const address = align(at, Math.max(alignment, LEAST_ALIGN));
    at = address + bytes;
    return address;
  };
  const data = program.data.map((d) => take(d.bytes.length, d.align));
  const dataEnd = at;
  const arena = take(program.arenaBytes, Math.max(program.arenaAlign, 64));
  const banks = program.banks.map(({ bytes }) => take(bytes, 64));
  const inputs = program.inputs.map((p) => (p.where === 'outside' ? take(p.bytes, 64) : undefined));
  return {
    data,
    dataStart: LEAST_ALIGN,
    dataEnd,
    arena,
    banks,
    inputs,
    totalBytes: at,
    pages: Math.max(1, Math.ceil(at / PAGE_BYTES)),
  };
}

/** Address where a region begins. */
export function regionBase(layout: Layout, region: Region): number {
  if (region.kind === 'arena') return bankBase(layout, region.bank);
  if (region.kind === 'data') return layout.data[region.index];
  const address = layout.inputs[region.index];
  if (address === undefined) throw new Error(`input ${region.index} does not lie outside the arena`);
  return address;
}

/** Address where a memory bank begins; left out and 0 are the arena. */
export function bankBase({ arena, banks }: Layout, bank = 0): number {
  return bank === 0 ? arena : banks[bank - 1];
}

/** All constants as they lie in [dataStart, dataEnd). */
export function dataImage(program: Program, layout: Layout): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(layout.dataEnd - layout.dataStart);
  program.data.forEach((d, i) => {
    image.set(d.bytes, layout.data[i] - layout.dataStart);
  });
  return image;
}
