/** What the firmware in boards/ leaves behind: its report, and what a fault says of itself. */

export const EXIT_CODES = { ok: 0, file: 90, again: 91, slack: 98, fault: 99 } as const;

export interface FirmwareReport {
  readonly stackBytes: number;
  readonly arenaFrom: number;
  readonly arenaTo: number;
}

const MAGIC = 0x7469646d;

export function readReport(bytes: Uint8Array): FirmwareReport | undefined {
  if (bytes.length !== 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  return {
    stackBytes: view.getUint32(4, true),
    arenaFrom: view.getUint32(8, true),
    arenaTo: view.getUint32(12, true),
  };
}

export interface Fault {
  readonly kind: string;
  /** Where, if the processor says. */
  readonly address?: number;
}

/** Bits of CFSR as the Armv7-M and Armv8-M manuals have them. */
export function readFault(bytes: Uint8Array): Fault {
  if (bytes.length !== 16) return { kind: 'fault' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const status = view.getUint32(0, true);
  if (status & 0x80)
    return { kind: 'refused by the memory protection unit', address: view.getUint32(8, true) };
  if (status & 0x8000) return { kind: 'no memory there', address: view.getUint32(12, true) };
  if (status & 0x100000) return { kind: 'stack overflow' };
  if (status & 0xff) return { kind: 'refused by the memory protection unit' };
  if (status & 0xff00) return { kind: 'bus fault' };
  if (status & 0xffff0000) return { kind: 'instruction fault' };
  return { kind: 'fault' };
}

/** What may be tried after a run, in a firmware built for it (boards/main.c). */
export type Attempt =
  | { readonly kind: 'none' }
  /** A store so many bytes from the arena: below 0 from its first byte, else from its end. */
  | { readonly kind: 'poke'; readonly distance: number }
  | { readonly kind: 'recurse' };

/** control.bin. */
export function controlBytes(paint: number, attempt: Attempt): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint32(0, paint, true);
  view.setUint32(4, attempt.kind === 'none' ? 0 : attempt.kind === 'poke' ? 1 : 2, true);
  view.setInt32(8, attempt.kind === 'poke' ? attempt.distance : 0, true);
  return new Uint8Array(view.buffer);
}
