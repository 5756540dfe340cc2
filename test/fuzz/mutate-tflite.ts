/**
 * Damages TFLite files in place. The tables are walked by the published schema, which gives every place that means
 * something: offsets, vtables, lengths, numbers. Shares nothing with the reader under test.
 */
import { pick, type Random } from '../../src/ops/testing/operator-case.ts';
import { any, BYTE_KINDS, chance, damagedBytes, FLOATS, INTEGERS, someInteger } from './values.ts';

/** A place in the file. `what` is the kind of damage that it is for. */
interface Slot {
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly what: string;
}

/** What a field holds: a scalar by its bytes, a list of such, a table or tables of a type, text or bytes. */
type Holds =
  | { readonly scalar: 1 | 4 | 8; readonly what: string }
  | { readonly list: 1 | 4 | 8; readonly what: string }
  | { readonly table: string }
  | { readonly tables: string };

const index = { list: 4, what: 'tensor index' } as const;
const text = { list: 1, what: 'text' } as const;

/** Fields by number (tensorflow/lite/schema/schema.fbs). Options have no entry: their fields are taken as they come. */
const SCHEMA: Readonly<Record<string, Readonly<Record<number, Holds>>>> = {
  Model: {
    0: { scalar: 4, what: 'version' },
    1: { tables: 'OperatorCode' },
    2: { tables: 'SubGraph' },
    3: text,
    4: { tables: 'Buffer' },
    6: { tables: 'Metadata' },
  },
  OperatorCode: {
    0: { scalar: 1, what: 'operator code' },
    1: text,
    2: { scalar: 4, what: 'version' },
    3: { scalar: 4, what: 'operator code' },
  },
  SubGraph: { 0: { tables: 'Tensor' }, 1: index, 2: index, 3: { tables: 'Operator' }, 4: text },
  Tensor: {
    0: { list: 4, what: 'shape' },
    1: { scalar: 1, what: 'type' },
    2: { scalar: 4, what: 'buffer index' },
    3: text,
    4: { table: 'Quantisation' },
    5: { scalar: 1, what: 'flag' },
    7: { list: 4, what: 'shape' },
  },
  Quantisation: {
    2: { list: 4, what: 'scale' },
    3: { list: 8, what: 'zero point' },
    4: { scalar: 1, what: 'flag' },
    6: { scalar: 4, what: 'axis' },
  },
  Operator: {
    0: { scalar: 4, what: 'operator code' },
    1: index,
    2: index,
    3: { scalar: 1, what: 'flag' },
    4: { table: 'Options' },
    5: { list: 1, what: 'data' },
  },
  Buffer: {
    0: { list: 1, what: 'data' },
    1: { scalar: 8, what: 'far offset' },
    2: { scalar: 8, what: 'far offset' },
  },
  Metadata: { 0: text, 1: { scalar: 4, what: 'buffer index' } },
};

/** Vectors are sampled beyond this, so that weights do not draw all the damage. */
const MOST_ELEMENTS = 16;

/** Every place of a well-formed file that means something. */
function slotsOf(bytes: Uint8Array): Slot[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slots: Slot[] = [];
  const seen = new Set<string>();
  const list = (start: number, width: 1 | 4 | 8, what: string) => {
    const length = view.getUint32(start, true);
    slots.push({ at: start, width: 4, what: 'length' });
    for (let i = 0; i < Math.min(length, MOST_ELEMENTS); i++)
      slots.push({ at: start + 4 + i * width, width, what });
  };
  const table = (at: number, type: string): void => {
    const key = `${at} ${type}`;
    if (seen.has(key)) return;
    seen.add(key);
    const vtable = at - view.getInt32(at, true);
    slots.push({ at, width: 4, what: 'vtable offset' });
    slots.push({ at: vtable, width: 2, what: 'vtable' }, { at: vtable + 2, width: 2, what: 'vtable' });
    const fields = (view.getUint16(vtable, true) - 4) / 2;
    for (let f = 0; f < fields; f++) {
      const slot = vtable + 4 + 2 * f;
      slots.push({ at: slot, width: 2, what: 'vtable' });
      const offset = view.getUint16(slot, true);
      if (offset === 0) continue;
      const value = at + offset;
      const holds: Holds | undefined =
        type === 'Options' ? { scalar: value + 4 <= bytes.length ? 4 : 1, what: 'option' } : SCHEMA[type][f];
      if (!holds) continue;
      if ('scalar' in holds) {
        slots.push({ at: value, width: holds.scalar, what: holds.what });
        continue;
      }
      slots.push({ at: value, width: 4, what: 'offset' });
      const target = value + view.getUint32(value, true);
      if ('list' in holds) list(target, holds.list, holds.what);
      else if ('table' in holds) table(target, holds.table);
      else {
        slots.push({ at: target, width: 4, what: 'length' });
        const length = view.getUint32(target, true);
        for (let i = 0; i < length; i++) {
          const entry = target + 4 + 4 * i;
          slots.push({ at: entry, width: 4, what: 'offset' });
          table(entry + view.getUint32(entry, true), holds.tables);
        }
      }
    }
  };
  slots.push({ at: 0, width: 4, what: 'offset' });
  table(view.getUint32(0, true), 'Model');
  return slots.filter((s) => s.at >= 0 && s.at + s.width <= bytes.length);
}

const KINDS = [
  'offset', 'vtable offset', 'vtable', 'length', 'version', 'operator code', 'tensor index', 'shape', 'type',
  'buffer index', 'flag', 'scale', 'zero point', 'axis', 'option', 'data', 'far offset', 'text',
] as const; // biome-ignore format: a list

export const TFLITE_DAMAGE: readonly string[] = [...BYTE_KINDS, ...KINDS];

/** One fault of the named kind, and now and then others beside it; undefined where the file has no such place. */
export function damagedTflite(kind: string, bytes: Uint8Array, random: Random): Uint8Array | undefined {
  const raw = BYTE_KINDS.find((k) => k === kind);
  if (raw) return damagedBytes(raw, bytes, random);
  const slots = slotsOf(bytes);
  const out = bytes.slice();
  const fitting = slots.filter((s) => s.what === kind);
  if (fitting.length === 0) return undefined;
  damage(out, any(random, fitting), slots, random);
  while (chance(random, 0.2)) damage(out, any(random, slots), slots, random);
  return out;
}

function damage(bytes: Uint8Array, { at, width, what }: Slot, slots: readonly Slot[], random: Random): void {
  const view = new DataView(bytes.buffer);
  if (what === 'scale') view.setFloat32(at, any(random, FLOATS), true);
  else if (what === 'option' && chance(random, 0.15)) view.setFloat32(at, any(random, FLOATS), true);
  else if (what === 'option' && chance(random, 0.4)) bytes[at] = pick(random, 0, 8);
  else if (width === 1) bytes[at] = chance(random, 0.6) ? pick(random, 0, 12) : pick(random, 0, 255);
  else if (width === 2)
    view.setUint16(at, chance(random, 0.7) ? pick(random, 0, 48) : pick(random, 0, 65535), true);
  else if (width === 8) view.setBigInt64(at, BigInt.asIntN(64, someInteger(random)), true);
  else if (what === 'offset' || what === 'vtable offset') {
    // To another place that something lies at, a little off, or anywhere.
    const target = any(random, slots).at;
    const value = view.getInt32(at, true);
    const off = what === 'offset' ? target - at : at - target;
    const near = value + pick(random, -8, 8);
    view.setInt32(at, any(random, [off, near, near, Number(BigInt.asIntN(32, any(random, INTEGERS)))]), true);
  } else {
    const value = view.getInt32(at, true);
    const near = value + pick(random, -2, 2);
    view.setInt32(at, chance(random, 0.4) ? near : Number(BigInt.asIntN(32, someInteger(random))), true);
  }
}
