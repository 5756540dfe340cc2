/** What the kernels of one program share: constants and helper functions, each kept once. */
import type { TypedArray } from '../graph/graph.ts';
import type { Cell, Fn, Region } from './ir.ts';
import type { DataObject } from './program.ts';

export class Module {
  readonly data: DataObject[] = [];
  readonly functions: Fn[] = [];
  readonly #sources = new Map<TypedArray, Map<string, Region>>();
  readonly #small = new Map<string, Region>();
  readonly #helpers = new Set<string>();

  /** Puts values into the constants; equal short ones are shared. */
  constant(name: string, values: TypedArray, cell: Cell = cellOfArray(values), align = 16): Region {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = bytes.length <= 4096 ? `${cell} ${bytes.join()}` : undefined;
    const same = key === undefined ? undefined : this.#small.get(key);
    if (same) return same;
    const region: Region = { kind: 'data', index: this.data.length };
    this.data.push({ name, bytes, align, cell });
    if (key !== undefined) this.#small.set(key, region);
    return region;
  }

  /** As `constant`, made from a source in a form that `key` names; made once however many kernels ask. */
  packed(name: string, source: TypedArray, key: string, pack: () => TypedArray): Region {
    const forms = this.#sources.get(source) ?? new Map<string, Region>();
    this.#sources.set(source, forms);
    const known = forms.get(key);
    if (known) return known;
    const region = this.constant(name, pack());
    forms.set(key, region);
    return region;
  }

  /** A function that several kernels call; `make` may ask for those that it calls. */
  helper(name: string, make: () => Fn): string {
    if (!this.#helpers.has(name)) {
      this.#helpers.add(name);
      this.functions.push(make());
    }
    return name;
  }
}

function cellOfArray(values: TypedArray): Cell {
  if (values instanceof Float32Array) return 'f32';
  if (values instanceof Int32Array) return 'i32';
  if (values instanceof Int16Array) return 'i16';
  return values instanceof Int8Array ? 'i8' : 'u8';
}
