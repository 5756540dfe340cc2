/** Constants as C arrays, or one after another as bytes that the caller provides. */
import type { DataObject } from '../../kernels/program.ts';
import { shortest32 } from './print.ts';

const TYPE = { i8: 'int8_t', u8: 'uint8_t', i16: 'int16_t', i32: 'int32_t', f32: 'float' } as const;

/** `static const` arrays and the byte pointers that kernels read them by. */
export function dataArrays(data: readonly DataObject[]): string {
  return data
    .map((d, i) => {
      if (d.bytes.length === 0) return '';
      const values = elements(d);
      const text: string[] = [];
      for (let at = 0; at < values.length; at += 16) text.push(values.slice(at, at + 16).join(','));
      const type = TYPE[d.cell];
      return (
        `/* ${comment(d.name)} */\n` +
        `static const ${type} values_${i}[${Math.max(1, values.length)}] TM_ALIGN(${d.align}) = {\n${text.join(',\n') || '0'}\n};\n` +
        `#define data_${i} ((const uint8_t *)values_${i})`
      );
    })
    .filter((text) => text !== '')
    .join('\n');
}

/** Where each object begins in the bytes of `dataBlob`. */
export function dataOffsets(data: readonly DataObject[]): {
  readonly offsets: number[];
  readonly bytes: number;
} {
  let at = 0;
  const offsets = data.map((d) => {
    const start = Math.ceil(at / 64) * 64;
    at = start + d.bytes.length;
    return start;
  });
  return { offsets, bytes: at };
}

/** All constants one after another, each at a multiple of 64 bytes. */
export function dataBlob(data: readonly DataObject[]): Uint8Array {
  const { offsets, bytes } = dataOffsets(data);
  const out = new Uint8Array(bytes);
  data.forEach((d, i) => {
    out.set(d.bytes, offsets[i]);
  });
  return out;
}

function elements(d: DataObject): string[] {
  const { buffer, byteOffset, byteLength } = d.bytes;
  switch (d.cell) {
    case 'i8':
      return Array.from(new Int8Array(buffer, byteOffset, byteLength), String);
    case 'u8':
      return Array.from(d.bytes, String);
    case 'i16':
      return Array.from(new Int16Array(buffer, byteOffset, byteLength / 2), String);
    case 'i32':
      return Array.from(new Int32Array(buffer, byteOffset, byteLength / 4), (v) =>
        v === -2147483648 ? 'INT32_MIN' : String(v),
      );
    default:
      return Array.from(new Float32Array(buffer, byteOffset, byteLength / 4), floatLiteral);
  }
}

function floatLiteral(v: number): string {
  if (v === 0) return Object.is(v, -0) ? '-0.0f' : '0';
  if (Number.isInteger(v) && Math.abs(v) < 1e6) return String(v);
  // Not numbers are as rare as they are unwelcome in weights.
  if (Number.isNaN(v)) return '(0.0f / 0.0f)';
  if (!Number.isFinite(v)) return v > 0 ? '(1.0f / 0.0f)' : '(-1.0f / 0.0f)';
  const text = shortest32(v);
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

/** Text that may stand in a comment. */
export function comment(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').replace(/\*\//g, '* /');
}
