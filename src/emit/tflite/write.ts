/**
 * A copy of a .tflite file with an offline plan. The old file is in the new one whole and unchanged, behind a new
 * start: a new root, the list of buffers with one more, the list of metadata with the plan. Offsets in FlatBuffers
 * count from where they stand and point forwards, so all old tables stay right where they are moved together.
 */
import { TidemarkError } from '../../errors.ts';
import {
  cursorOver,
  rootTable,
  stringField,
  type Table,
  tablesField,
  target,
  uintField,
  ulongField,
} from '../../model/tflite/cursor.ts';
import { encodePlan, PLAN_METADATA } from './metadata.ts';

/** Fields of the schema's Model, by number; all but the version are offsets. */
const MODEL = { version: 0, buffers: 4, metadata: 6, fields: 8 };

/** The old file begins at a multiple of this, so that whatever alignment its data had, it keeps. */
const ALIGNMENT = 64;
/** Where a vector's data begins: force_align of Buffer.data in the schema. */
const DATA_ALIGNMENT = 16;

/** Throws for files that hold data outside their FlatBuffer, which TFLite Micro cannot read either. */
export function withOfflinePlan(bytes: Uint8Array, offsets: readonly number[]): Uint8Array {
  const model = rootTable(cursorOver(bytes));
  const buffers = tablesField(model, 4);
  if (buffers.some((b) => ulongField(b, 1) > 1)) {
    throw new TidemarkError(
      'file-format',
      'its data lies outside the FlatBuffer: TFLite Micro cannot read that',
    );
  }
  if ((model.vtableBytes - 4) / 2 > MODEL.fields) {
    throw new TidemarkError(
      'file-format',
      'the model has fields that are not known here: no copy can be made',
    );
  }
  const others = tablesField(model, MODEL.metadata).filter((t) => stringField(t, 0) !== PLAN_METADATA);
  // Laid out twice: where the old file begins is known once the length of what stands before it is.
  const draft = start(model, buffers, others, offsets, 0);
  const at = Math.ceil(draft.length / ALIGNMENT) * ALIGNMENT;
  const result = new Uint8Array(at + bytes.length);
  result.set(start(model, buffers, others, offsets, at));
  result.set(bytes, at);
  return result;
}

/** Everything that stands before the old file, which begins at `at`. */
function start(
  model: Table,
  buffers: readonly Table[],
  others: readonly Table[],
  offsets: readonly number[],
  at: number,
): Uint8Array {
  const out = new Layout();
  const root = out.offset();
  out.text('TFL3');
  // The Model: a field that the old one leaves out stays out.
  const slots = Array.from({ length: MODEL.fields }, (_, field) => {
    const added = field === MODEL.buffers || field === MODEL.metadata;
    return added || present(model, field) ? 4 + 4 * field : 0;
  });
  const table = out.table(slots, 4 + 4 * MODEL.fields);
  out.point(root, table);
  const field = (number: number) => table + 4 + 4 * number;
  if (slots[MODEL.version]) out.int(field(MODEL.version), uintField(model, MODEL.version));
  for (let f = 1; f < MODEL.fields; f++) {
    if (present(model, f) && f !== MODEL.buffers && f !== MODEL.metadata)
      out.point(field(f), at + target(model, f));
  }
  out.point(field(MODEL.buffers), out.end);
  const bufferSlots = out.vector(buffers.length + 1);
  buffers.forEach((b, i) => {
    out.point(bufferSlots + 4 * i, at + b.position);
  });
  out.point(field(MODEL.metadata), out.end);
  const metadataSlots = out.vector(others.length + 1);
  others.forEach((t, i) => {
    out.point(metadataSlots + 4 * i, at + t.position);
  });
  const entry = out.table([4, 8], 12);
  out.point(metadataSlots + 4 * others.length, entry);
  out.int(entry + 8, buffers.length);
  const buffer = out.table([4], 8);
  out.point(bufferSlots + 4 * buffers.length, buffer);
  out.point(entry + 4, out.end);
  out.string(PLAN_METADATA);
  out.align(DATA_ALIGNMENT, 4);
  out.point(buffer + 4, out.end);
  out.bytes(encodePlan(offsets));
  return out.finished();
}

/** Whether the table has the field: 0 for one of offsets is none. */
function present(table: Table, field: number): boolean {
  if (field === MODEL.version) return uintField(table, field) !== 0;
  return target(table, field) !== 0;
}

/** FlatBuffers data written from its beginning on. */
class Layout {
  #view = new DataView(new ArrayBuffer(1024));
  end = 0;

  #take(bytes: number): number {
    const at = this.end;
    this.end += bytes;
    if (this.end > this.#view.byteLength) {
      const larger = new Uint8Array(2 * this.end);
      larger.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  int(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** Room for an offset, set by `point` when its target is known. */
  offset(): number {
    return this.#take(4);
  }

  point(at: number, to: number): void {
    this.int(at, to - at);
  }

  /** `end` becomes a multiple of `alignment`, less `before`. */
  align(alignment: number, before = 0): void {
    this.#take((alignment - ((this.end + before) % alignment)) % alignment);
  }

  text(value: string): void {
    for (const c of value) this.#view.setUint8(this.#take(1), c.charCodeAt(0));
  }

  /** A table behind its vtable; `slots` are where its fields lie in it, 0 for none. */
  table(slots: readonly number[], bytes: number): number {
    const vtableBytes = 4 + 2 * slots.length;
    this.align(4, vtableBytes);
    const vtable = this.#take(vtableBytes);
    [vtableBytes, bytes, ...slots].forEach((n, i) => {
      this.#view.setUint16(vtable + 2 * i, n, true);
    });
    const table = this.#take(bytes);
    this.#view.setInt32(table, table - vtable, true);
    return table;
  }

  /** A vector of offsets; returns where its first stands. */
  vector(length: number): number {
    const at = this.#take(4 + 4 * length);
    this.int(at, length);
    return at + 4;
  }

  bytes(data: Uint8Array): void {
    const at = this.#take(4 + data.length);
    this.int(at, data.length);
    new Uint8Array(this.#view.buffer).set(data, at + 4);
  }

  string(value: string): void {
    this.int(this.#take(4), value.length);
    this.text(value);
    this.#take(1);
    this.align(4);
  }

  finished(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.end);
  }
}
