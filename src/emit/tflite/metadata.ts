/**
 * The form of an offline plan in a .tflite file: metadata named OfflineMemoryAllocation, whose buffer is 32-bit
 * integers: version, a number that TFLite Micro ignores (the subgraph in its first documentation, the count of
 * subgraphs in its present one), number of offsets, and one offset for every tensor, -1 to have it planned at run
 * time. Source: tensorflow/lite/micro/docs/memory_management.md, "Offline planned tensor allocations".
 */
import { TidemarkError } from '../../errors.ts';
import {
  bytesField,
  cursorOver,
  rootTable,
  stringField,
  tablesField,
  uintField,
} from '../../model/tflite/cursor.ts';
import { type FileModel, parseTflite } from '../../model/tflite/file.ts';

export const PLAN_METADATA = 'OfflineMemoryAllocation';

const VERSION = 1;
const SUBGRAPHS = 1;
const HEADER_INTS = 3;

/** The metadata's bytes, little-endian as all of the file. */
export function encodePlan(offsets: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * (HEADER_INTS + offsets.length)));
  [VERSION, SUBGRAPHS, offsets.length, ...offsets].forEach((n, i) => {
    view.setInt32(4 * i, n, true);
  });
  return new Uint8Array(view.buffer);
}

/** The offsets that a file gives its tensors, or undefined where it has no plan. Of several the last counts. */
export function planInFile(bytes: Uint8Array): readonly number[] | undefined {
  const file = parseTflite(bytes);
  const model = rootTable(cursorOver(bytes));
  const buffers = tablesField(model, 4);
  const entry = tablesField(model, 6).findLast((t) => stringField(t, 0) === PLAN_METADATA);
  if (!entry) return undefined;
  const buffer = buffers[uintField(entry, 1)];
  return decodePlan(buffer ? bytesField(buffer, 0) : new Uint8Array(), file);
}

function decodePlan(data: Uint8Array, file: FileModel): readonly number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const ints = Array.from({ length: Math.floor(data.length / 4) }, (_, i) => view.getInt32(4 * i, true));
  const count = ints[2] ?? 0;
  if (count !== file.tensors.length || ints.length < HEADER_INTS + count) {
    throw new TidemarkError(
      'file-format',
      `${PLAN_METADATA}: ${data.length} bytes with ${count} offsets; expected ${file.tensors.length} offsets, one a tensor`,
    );
  }
  return ints.slice(HEADER_INTS, HEADER_INTS + count);
}
