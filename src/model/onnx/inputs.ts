/** Graph inputs: their shapes, fixed for good, and the order of axes that suits what reads them. */
import { TidemarkError } from '../../errors.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import { elementCount } from '../../graph/graph.ts';
import { limits } from '../../limits.ts';
import { type FileType, fileType } from './element-type.ts';
import { lastPerm, plainView } from './layout.ts';
import type { GraphProto, NodeProto, ValueInfoProto } from './schema.ts';
import { inputSource, type Order, type Value } from './value.ts';

/** Name, shape and type that the file declares for a graph input. Throws `shape-dynamic` and others. */
export function inputType(
  info: ValueInfoProto,
  shapes: Record<string, readonly number[]>,
): { shape: number[]; type: FileType } {
  const { name } = info;
  const tensor = info.type?.tensorType;
  if (!tensor) {
    throw new TidemarkError(
      'operator-unsupported',
      `input ${name}: only tensors are supported, not sequences, maps or optional values`,
    );
  }
  const type = fileType(tensor.elemType);
  const dims = tensor.shape?.dim;
  const override = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (!dims && !override) throw dynamic(name, 'has no shape', '1x3x224x224');
  if (dims && override && override.length !== dims.length) {
    throw new TidemarkError(
      'shape-mismatch',
      `input ${name}: the given shape ${override.join('x')} has rank ${override.length}, the file says rank ${dims.length}`,
    );
  }
  const shape = (dims ?? override!).map((dim, axis) => {
    const fixed = typeof dim === 'number' ? 0 : Number(dim.dimValue);
    const wanted = override?.[axis];
    if (wanted !== undefined && fixed > 0 && wanted !== fixed) {
      throw new TidemarkError(
        'shape-mismatch',
        `input ${name}: the given shape ${override!.join('x')} contradicts dimension ${axis} of the file, which is fixed to ${fixed}`,
      );
    }
    if (wanted !== undefined) return wanted;
    if (fixed > 0) return fixed;
    // Nobody means anything but one picture by a batch dimension that is left open.
    if (axis === 0 && dims!.length > 1) return 1;
    const example = dims!.map((d, i) => (d.dimValue > 0n ? d.dimValue : i === 0 ? 1 : 224)).join('x');
    throw dynamic(
      name,
      `has the open dimension ${typeof dim !== 'number' && dim.dimParam ? `"${dim.dimParam}"` : axis}`,
      example,
    );
  });
  const valid = shape.every((d) => Number.isInteger(d) && d > 0);
  if (shape.length > limits.rank || !valid || elementCount(shape) > limits.tensorElements) {
    throw new TidemarkError('graph-invalid', `input ${name}: the shape [${shape}] cannot be held`);
  }
  return { shape, type };
}

function dynamic(name: string, what: string, example: string): TidemarkError {
  return new TidemarkError(
    'shape-dynamic',
    `input ${name} ${what}, and memory is planned for fixed shapes: say which with --shape ${name}=${example}`,
  );
}

/** A graph input as a value; it becomes a tensor on first use, with the quantisation that this use declares. */
export function inputValue(
  b: GraphBuilder,
  name: string,
  shape: readonly number[],
  type: FileType,
  order: Order,
): Value {
  const perm = order === 'last' ? lastPerm(shape.length) : undefined;
  const port = { name, shape, dtype: type.name, ...(perm ? { perm } : {}) };
  const inner = perm ? perm.map((axis) => shape[axis]) : shape;
  const source = inputSource(inner, (quant) => b.input(port, { dtype: type.dtype, quant }));
  return { name, shape, type, source, view: plainView(shape, perm) };
}

const WINDOWS =
  /^(Conv|ConvTranspose|ConvInteger|QLinearConv|FusedConv|.*Pool|Resize|Upsample|LRN|BatchNormalization|InstanceNormalization|DepthToSpace|SpaceToDepth)$/;
const AGNOSTIC =
  /^(Identity|Dropout|Cast|QuantizeLinear|DequantizeLinear|Add|Sub|Mul|Div|Pow|Min|Max|Sum|Mean|Pad|Concat|Slice|Split|Clip|Relu|LeakyRelu|PRelu|Sigmoid|Tanh|Abs|Neg|Sqrt|Exp|Log|HardSwish|HardSigmoid|QLinearAdd|QLinearMul|QLinearConcat|Where)$/;

/** Whether a graph input of rank 3 or 4 should lie channels last: when that is what its readers want. */
export function inputOrder(
  name: string,
  shape: readonly number[],
  readers: ReadonlyMap<string, readonly NodeProto[]>,
): Order {
  if (shape.length !== 3 && shape.length !== 4) return 'file';
  const seen = new Set<string>([name]);
  const queue = [name];
  for (let at = 0; at < queue.length; at++) {
    for (const node of readers.get(queue[at]) ?? []) {
      if (WINDOWS.test(node.opType)) return node.input[0] === queue[at] ? 'last' : 'file';
      if (node.opType === 'Transpose') return wantsLast(node, shape.length) ? 'last' : 'file';
      if (!AGNOSTIC.test(node.opType)) continue;
      for (const output of node.output) {
        if (output === '' || seen.has(output)) continue;
        seen.add(output);
        queue.push(output);
      }
    }
  }
  return 'file';
}

function wantsLast(node: NodeProto, rank: number): boolean {
  const perm = node.attribute.find((a) => a.name === 'perm')?.ints;
  return (
    perm !== undefined && perm.length === rank && lastPerm(rank).every((axis, i) => BigInt(axis) === perm[i])
  );
}

/** The nodes that read each value. */
export function readersOf(graph: GraphProto): Map<string, NodeProto[]> {
  const readers = new Map<string, NodeProto[]>();
  for (const node of graph.node) {
    for (const name of node.input) {
      const list = readers.get(name);
      if (list) list.push(node);
      else readers.set(name, [node]);
    }
  }
  return readers;
}
