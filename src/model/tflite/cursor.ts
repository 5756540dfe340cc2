/**
 * Reads FlatBuffers tables without trusting a single offset: every position, vector length and vtable is
 * checked against the file before it is followed, so a damaged file ends in one `file-format` error. The
 * total number of decoded elements is bounded too, because offsets may be shared: a small file could otherwise
 * describe the same long vector a million times. Layout: the FlatBuffers internals document.
 */
import { ByteBuffer } from 'flatbuffers';
import { TidemarkError } from '../../errors.ts';

/** Decoded elements allowed for each byte of the file, and on top of that for small files. */
const ELEMENTS_PER_BYTE = 4;
const ELEMENTS_AT_LEAST = 1_000_000;

/** The file, and how much decoding is still allowed. */
export interface Cursor {
  readonly buffer: ByteBuffer;
  readonly bytes: Uint8Array;
  readonly budget: { left: number };
}

/** A table of the file. Fields are numbered as in the schema; a field that is left out has its default. */
export interface Table {
  readonly cursor: Cursor;
  readonly position: number;
  readonly vtable: number;
  readonly vtableBytes: number;
  readonly tableBytes: number;
}

function damaged(what: string): never {
  throw new TidemarkError('file-format', `damaged FlatBuffers data: ${what}; fetch the file again`);
}

function check(cursor: Cursor, position: number, length: number, what: string): void {
  if (position < 0 || length < 0 || position + length > cursor.bytes.length) {
    damaged(`${what} at byte ${position} lies outside the file's ${cursor.bytes.length} bytes`);
  }
}

function spend(cursor: Cursor, elements: number): void {
  cursor.budget.left -= elements;
  if (cursor.budget.left < 0) damaged('the tables describe far more data than the file holds');
}

/** A cursor over a file's bytes. */
export function cursorOver(bytes: Uint8Array): Cursor {
  const left = bytes.length * ELEMENTS_PER_BYTE + ELEMENTS_AT_LEAST;
  return { buffer: new ByteBuffer(bytes), bytes, budget: { left } };
}

/** The table that the file starts with. */
export function rootTable(cursor: Cursor): Table {
  check(cursor, 0, 8, 'the header');
  return tableAt(cursor, cursor.buffer.readUint32(0), 'the root table');
}

function tableAt(cursor: Cursor, position: number, what: string): Table {
  check(cursor, position, 4, what);
  spend(cursor, 1);
  const vtable = position - cursor.buffer.readInt32(position);
  check(cursor, vtable, 4, `${what}: its vtable`);
  const vtableBytes = cursor.buffer.readUint16(vtable);
  const tableBytes = cursor.buffer.readUint16(vtable + 2);
  if (vtableBytes < 4 || vtableBytes % 2 !== 0) damaged(`${what}: a vtable of ${vtableBytes} bytes`);
  check(cursor, vtable, vtableBytes, `${what}: its vtable`);
  check(cursor, position, tableBytes, what);
  return { cursor, position, vtable, vtableBytes, tableBytes };
}

/** Where a field's value lies, or 0 when it is left out. */
function fieldAt(table: Table, field: number, width: number): number {
  const slot = 4 + 2 * field;
  if (slot + 2 > table.vtableBytes) return 0;
  const offset = table.cursor.buffer.readUint16(table.vtable + slot);
  if (offset === 0) return 0;
  if (offset < 4 || offset + width > table.tableBytes)
    damaged(`field ${field} of the table at byte ${table.position}`);
  return table.position + offset;
}

export function byteField(table: Table, field: number, missing = 0): number {
  const at = fieldAt(table, field, 1);
  return at === 0 ? missing : table.cursor.buffer.readInt8(at);
}

export function ubyteField(table: Table, field: number, missing = 0): number {
  const at = fieldAt(table, field, 1);
  return at === 0 ? missing : table.cursor.buffer.readUint8(at);
}

export function boolField(table: Table, field: number, missing = false): boolean {
  return byteField(table, field, missing ? 1 : 0) !== 0;
}

export function intField(table: Table, field: number, missing = 0): number {
  const at = fieldAt(table, field, 4);
  return at === 0 ? missing : table.cursor.buffer.readInt32(at);
}

export function uintField(table: Table, field: number, missing = 0): number {
  return intField(table, field, missing) >>> 0;
}

export function floatField(table: Table, field: number, missing = 0): number {
  const at = fieldAt(table, field, 4);
  return at === 0 ? missing : table.cursor.buffer.readFloat32(at);
}

/** An unsigned 64-bit field; beyond 2^53 the value is inexact, which no valid position is. */
export function ulongField(table: Table, field: number): number {
  const at = fieldAt(table, field, 8);
  return at === 0 ? 0 : Number(table.cursor.buffer.readUint64(at));
}

/** The position that an offset field points to, or 0 when it is left out. */
export function target(table: Table, field: number): number {
  const at = fieldAt(table, field, 4);
  if (at === 0) return 0;
  const position = at + table.cursor.buffer.readUint32(at);
  check(table.cursor, position, 4, `the target of field ${field}`);
  return position;
}

export function tableField(table: Table, field: number): Table | undefined {
  const position = target(table, field);
  return position === 0 ? undefined : tableAt(table.cursor, position, `the table in field ${field}`);
}

/** Start and length of a vector whose elements have `width` bytes. */
function vector(table: Table, field: number, width: number): { start: number; length: number } {
  const position = target(table, field);
  if (position === 0) return { start: 0, length: 0 };
  const length = table.cursor.buffer.readUint32(position);
  check(table.cursor, position + 4, length * width, `a vector of ${length} elements`);
  return { start: position + 4, length };
}

export function intsField(table: Table, field: number): number[] {
  const { start, length } = vector(table, field, 4);
  spend(table.cursor, length);
  return Array.from({ length }, (_, i) => table.cursor.buffer.readInt32(start + 4 * i));
}

export function floatsField(table: Table, field: number): number[] {
  const { start, length } = vector(table, field, 4);
  spend(table.cursor, length);
  return Array.from({ length }, (_, i) => table.cursor.buffer.readFloat32(start + 4 * i));
}

export function longsField(table: Table, field: number): number[] {
  const { start, length } = vector(table, field, 8);
  spend(table.cursor, length);
  return Array.from({ length }, (_, i) => Number(table.cursor.buffer.readInt64(start + 8 * i)));
}

/** The bytes of a vector, not copied. */
export function bytesField(table: Table, field: number): Uint8Array {
  const { start, length } = vector(table, field, 1);
  return table.cursor.bytes.subarray(start, start + length);
}

export function stringField(table: Table, field: number): string {
  const bytes = bytesField(table, field);
  spend(table.cursor, bytes.length);
  return new TextDecoder().decode(bytes);
}

export function tablesField(table: Table, field: number): Table[] {
  const { start, length } = vector(table, field, 4);
  spend(table.cursor, length);
  return Array.from({ length }, (_, i) => {
    const at = start + 4 * i;
    return tableAt(table.cursor, at + table.cursor.buffer.readUint32(at), `table ${i} of field ${field}`);
  });
}
