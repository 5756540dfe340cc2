/** Tells what a file is from its first bytes, so that a wrong file gets a line that says what it is. */
import { TidemarkError } from '../errors.ts';

export type ModelFormat = 'onnx' | 'tflite';

/** Starts of files that are no model, at an offset, with what they are. */
const OTHERS: readonly (readonly [offset: number, start: string, what: string])[] = [
  [0, '\xff\xd8\xff', 'a JPEG picture'],
  [0, '\x89PNG', 'a PNG picture'],
  [0, 'GIF8', 'a GIF picture'],
  [0, 'BM', 'a BMP picture'],
  [0, 'PK\x03\x04', 'a zip archive (a PyTorch or Keras file? export it as ONNX or TFLite)'],
  [0, '\x1f\x8b', 'a gzip archive (unpack it first)'],
  [0, '\x89HDF', 'an HDF5 file (a Keras model? convert it to TFLite or ONNX)'],
  [0, '\x80\x02', 'a Python pickle (a PyTorch model? export it as ONNX)'],
  [0, '\x93NUMPY', 'a .npy array'],
  [0, '\x7fELF', 'an executable'],
  [0, '%PDF', 'a PDF document'],
  [4, 'ORTM', "a model in ONNX Runtime's own .ort format (convert it back to .onnx)"],
  [0, 'version https://git-lfs', 'a Git LFS pointer (run git lfs pull)'],
  [0, '<', 'an HTML or XML page (a failed download?)'],
  [0, '{', 'a JSON document'],
];

/** First bytes of an ONNX ModelProto: tags of its fields in the wire types that they have. */
const ONNX_TAGS = new Set([0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca]);

/** The format by content first; the name decides only where the content leaves it open. */
export function modelFormat(file: string, bytes: Uint8Array): ModelFormat {
  if (startsWith(bytes, 4, 'TFL3')) return 'tflite';
  if (bytes.length === 0) throw notAModel(file, 'the file is empty');
  const extension = /\.([^./\\]+)$/.exec(file)?.[1]?.toLowerCase();
  const other = OTHERS.find(([offset, start]) => startsWith(bytes, offset, start));
  if (other) throw notAModel(file, `this is ${other[2]}`);
  if (extension === 'tflite') throw notAModel(file, 'a TFLite file has TFL3 at byte 4, this one has not');
  if (!ONNX_TAGS.has(bytes[0])) {
    throw notAModel(file, `its first byte is 0x${bytes[0].toString(16).padStart(2, '0')}`);
  }
  return 'onnx';
}

function notAModel(file: string, why: string): TidemarkError {
  return new TidemarkError('file-format', `${file}: expected an ONNX or TFLite model, but ${why}`);
}

function startsWith(bytes: Uint8Array, offset: number, start: string): boolean {
  if (bytes.length < offset + start.length) return false;
  for (let i = 0; i < start.length; i++) if (bytes[offset + i] !== start.charCodeAt(i)) return false;
  return true;
}
