/** Typed access to a node's attributes. */
import { TidemarkError } from '../../errors.ts';
import type { AttributeProto, NodeProto, TensorProto } from './schema.ts';

const text = new TextDecoder();

export interface NodeAttributes {
  has(name: string): boolean;
  int(name: string, otherwise: number): number;
  ints(name: string): number[] | undefined;
  float(name: string, otherwise: number): number;
  floats(name: string): number[] | undefined;
  string(name: string, otherwise: string): string;
  tensor(name: string): TensorProto | undefined;
}

export function attributesOf(node: NodeProto): NodeAttributes {
  const find = (name: string): AttributeProto | undefined => node.attribute.find((a) => a.name === name);
  return {
    has: (name) => find(name) !== undefined,
    int: (name, otherwise) => integer(name, find(name)?.i ?? BigInt(otherwise)),
    ints: (name) => find(name)?.ints.map((i) => integer(name, i)),
    float: (name, otherwise) => find(name)?.f ?? otherwise,
    floats: (name) => find(name)?.floats,
    string: (name, otherwise) => {
      const found = find(name);
      return found ? text.decode(found.s) : otherwise;
    },
    tensor: (name) => find(name)?.t,
  };
}

/** Sentinels such as INT64_MAX (in Slice) saturate to 32 bits like every other integer. */
function integer(name: string, value: bigint): number {
  if (typeof value !== 'bigint')
    throw new TidemarkError('graph-invalid', `attribute ${name} is not an integer`);
  if (value > 2147483647n) return 2147483647;
  return value < -2147483648n ? -2147483648 : Number(value);
}
