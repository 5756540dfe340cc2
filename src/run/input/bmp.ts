/** Windows bitmaps without compression: 8 bits with a palette, 24 and 32 bits. Throws a RangeError on others. */
import type { Picture } from './picture.ts';

/** Bytes of the file header; the picture's header follows. */
const FILE_HEADER = 14;

export function readBmp(bytes: Uint8Array): Picture {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(10, true);
  const headerBytes = view.getUint32(14, true);
  if (headerBytes < 40) throw new RangeError(`a header of ${headerBytes} bytes is too old a form`);
  const width = view.getInt32(18, true);
  const signedHeight = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  // 3 is "bit fields"; with 32 bits that is the usual BGRA order.
  if (compression !== 0 && !(compression === 3 && bits === 32))
    throw new RangeError(`compression ${compression} is not read`);
  if (bits !== 8 && bits !== 24 && bits !== 32)
    throw new RangeError(`${bits} bits a pixel are not read (8, 24, 32 are)`);
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (width < 1 || height < 1 || start + rowBytes * height > bytes.length) {
    throw new RangeError(`${width} x ${height} pixels need more bytes than the ${bytes.length} there are`);
  }
  const palette = FILE_HEADER + headerBytes;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    // Rows stand bottom up unless the height is negative.
    const row = start + rowBytes * (signedHeight > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const from = bits === 8 ? palette + bytes[row + x] * 4 : row + x * (bits / 8);
      const to = (y * width + x) * 3;
      rgb[to] = bytes[from + 2];
      rgb[to + 1] = bytes[from + 1];
      rgb[to + 2] = bytes[from];
    }
  }
  return { width, height, rgb };
}
