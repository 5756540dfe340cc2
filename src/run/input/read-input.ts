/** From the bytes of an input file to the values of a port, by the file's kind. */
import { TidemarkError } from '../../errors.ts';
import { elementCount, type Port, type Tensor } from '../../graph/graph.ts';
import { decodeElements, type FileArray, fileTypeBytes } from './file-array.ts';
import { readNpy } from './npy.ts';
import { readPicture } from './picture.ts';
import { type PictureOptions, pictureInput } from './picture-input.ts';
import { fitArray, portType } from './port-values.ts';

export interface ReadInput {
  readonly array: FileArray;
  /** What was done with the file, where there was a choice. */
  readonly how?: string;
}

/** Reads one array for one port. `.npz` holds several and is taken apart before (see npz.ts). */
export function readInput(
  bytes: Uint8Array,
  name: string,
  port: Port,
  tensor: Tensor,
  options: PictureOptions,
): ReadInput {
  if (bytes[0] === 0x93) return { array: fitArray(port, tensor, readNpy(bytes, name), name) };
  if (/\.(bin|raw)$/i.test(name)) return { array: readRaw(bytes, name, port) };
  if (/\.(png|jpe?g|bmp)$/i.test(name))
    return pictureInput(readPicture(bytes, name), port, tensor, options, name);
  throw new TidemarkError(
    'input-invalid',
    `${name}: an input is a .npy, .npz, .png, .jpg, .bmp or .bin file`,
  );
}

/** Little-endian elements of the port's type and nothing else. */
function readRaw(bytes: Uint8Array, name: string, port: Port): FileArray {
  const dtype = portType(port);
  const count = elementCount(port.shape);
  const needed = count * fileTypeBytes(dtype);
  if (bytes.length !== needed) {
    throw new TidemarkError(
      'input-invalid',
      `${name}: ${bytes.length} bytes, input ${port.name} takes ${needed} (${dtype}[${port.shape}])`,
    );
  }
  return { dtype, shape: port.shape, values: decodeElements(bytes, dtype, count) };
}
