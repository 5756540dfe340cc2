/** Damages ONNX files where their structure is: one fault at a time, sometimes two or three. */
import { pick, type Random } from '../../src/ops/testing/operator-case.ts';
import { any, BYTE_KINDS, chance, damagedBytes, FLOATS, INTEGERS, someInteger } from './values.ts';
import {
  type Field,
  fieldOf,
  type Message,
  type MessageName,
  messagesOf,
  parseMessage,
  textField,
  textOf,
  varintBytes,
  varintField,
  writeMessage,
} from './wire.ts';

type Damage = (root: Message, random: Random) => void;

/** Operators that changing an op_type may lead to: what is read, what is refused, what does not exist. */
const OPERATORS =
  `Conv Relu Add Mul Sub Div MatMul Gemm MaxPool AveragePool GlobalAveragePool Concat Reshape Transpose
Slice Split Pad Resize Upsample Softmax ReduceMean ReduceSum ReduceMax ArgMax Gather GatherND Flatten Squeeze Unsqueeze
BatchNormalization InstanceNormalization LRN LayerNormalization QuantizeLinear DequantizeLinear QLinearConv
QLinearMatMul ConvInteger MatMulInteger DynamicQuantizeLinear ConvTranspose DepthToSpace SpaceToDepth Expand Tile Where
Shape ConstantOfShape Range Cast Clip PRelu LeakyRelu Identity Dropout Constant Loop If Scan LSTM NonMaxSuppression TopK
Einsum Pow Erf HardSwish Mod Min Max Sum Equal Not And OneHot ScatterND CumSum Size NoSuchOperator`.split(
    /\s+/,
  );

const listOf = (root: Message, name: MessageName): Message[] =>
  messagesOf(root).filter((m) => m.name === name);

function somewhere(
  root: Message,
  random: Random,
  holds: (f: Field) => boolean,
): [Message, number] | undefined {
  // A message first, so that long lists do not draw all the damage.
  const messages = messagesOf(root).filter((m) => m.fields.some(holds));
  if (messages.length === 0) return undefined;
  const message = any(random, messages);
  const fitting = message.fields.flatMap((f, i) => (holds(f) ? [i] : []));
  return [message, any(random, fitting)];
}

function copied(field: Field): Field {
  return {
    ...field,
    message: field.message && {
      name: field.message.name,
      fields: field.message.fields.map(copied),
    },
  };
}

/** Sets a scalar or text field of a message, adding it where it is left out. */
function put(message: Message, field: Field): void {
  const at = message.fields.findIndex((f) => f.number === field.number);
  if (at < 0) message.fields.push(field);
  else message.fields[at] = field;
}

function float32(number: number, value: number): Field {
  return { number, wire: 5, bytes: new Uint8Array(Float32Array.of(value).buffer) };
}

/** All names that stand for a value somewhere in the graph. */
function names(root: Message): string[] {
  const found = listOf(root, 'Node').flatMap((n) =>
    n.fields.filter((f) => f.number === 1 || f.number === 2).map(textOf),
  );
  const tensors = listOf(root, 'Tensor').map((t) => textOf(fieldOf(t, 8)));
  return [...found, ...tensors, ...listOf(root, 'ValueInfo').map((v) => textOf(fieldOf(v, 1)))];
}

/** Tensors of few elements, which parameters are: axes, shapes, scales. */
function smallTensors(root: Message): Message[] {
  return listOf(root, 'Tensor').filter((t) => (fieldOf(t, 9)?.bytes?.length ?? 0) <= 64);
}

const DAMAGE: Readonly<Record<string, Damage>> = {
  'field gone': (root, random) => {
    const found = somewhere(root, random, () => true);
    if (found) found[0].fields.splice(found[1], 1);
  },
  'field twice': (root, random) => {
    const found = somewhere(root, random, () => true);
    if (found) found[0].fields.splice(found[1], 0, copied(found[0].fields[found[1]]));
  },
  'fields swapped': (root, random) => {
    const found = somewhere(root, random, () => true);
    if (!found) return;
    const [{ fields }, i] = found;
    const j = pick(random, 0, fields.length - 1);
    [fields[i], fields[j]] = [fields[j], fields[i]];
  },
  'field of another': (root, random) => {
    const found = somewhere(root, random, () => true);
    if (!found) return;
    const others = listOf(root, found[0].name);
    const other = any(random, others);
    if (other.fields.length > 0) found[0].fields[found[1]] = copied(any(random, other.fields));
  },
  varint: (root, random) => {
    const found = somewhere(root, random, (f) => f.wire === 0);
    if (found) found[0].fields[found[1]].varint = someInteger(random);
  },
  tag: (root, random) => {
    const found = somewhere(root, random, () => true);
    if (!found) return;
    const field = found[0].fields[found[1]];
    if (chance(random, 0.5)) field.number = pick(random, 0, 24);
    else field.wire = pick(random, 0, 7);
  },
  length: (root, random) => {
    const found = somewhere(root, random, (f) => f.wire === 2);
    if (found) found[0].fields[found[1]].lengthOff = any(random, [-4, -1, 1, 2, 8, 1000, 2 ** 31, 2 ** 40]);
  },
  'integer attribute': (root, random) => {
    const attributes = listOf(root, 'Attribute').filter((a) => fieldOf(a, 3) || fieldOf(a, 8));
    if (attributes.length === 0) return;
    const attribute = any(random, attributes);
    const at = attribute.fields.flatMap((f, i) => (f.number === 3 || f.number === 8 ? [i] : []));
    const i = any(random, at);
    if (attribute.fields[i].wire === 0) attribute.fields[i].varint = someInteger(random);
    else {
      // A packed list: another one of about its length.
      const length = pick(random, 0, (attribute.fields[i].bytes?.length ?? 1) + 2);
      const list = Array.from({ length }, () => (chance(random, 0.5) ? 1n : someInteger(random)));
      attribute.fields[i].bytes = Uint8Array.from(list.flatMap(varintBytes));
    }
  },
  'integer list': (root, random) => {
    const attributes = listOf(root, 'Attribute').filter((a) => fieldOf(a, 8));
    if (attributes.length === 0) return;
    const { fields } = any(random, attributes);
    const kept = fields.filter((f) => f.number !== 8);
    const length = chance(random, 0.05) ? 5000 : pick(random, 0, 9);
    const list = Array.from({ length }, () => varintField(8, chance(random, 0.5) ? 1n : someInteger(random)));
    fields.splice(0, fields.length, ...kept, ...list);
  },
  'real attribute': (root, random) => {
    const attributes = listOf(root, 'Attribute').filter((a) => fieldOf(a, 2));
    if (attributes.length > 0) put(any(random, attributes), float32(2, any(random, FLOATS)));
  },
  'attribute type': (root, random) => {
    const attributes = listOf(root, 'Attribute');
    if (attributes.length === 0) return;
    const attribute = any(random, attributes);
    const kept = attribute.fields.filter((f) => f.number === 1);
    const other = any(random, [
      varintField(3, someInteger(random)),
      float32(2, any(random, FLOATS)),
      textField(4, any(random, ['', 'SAME_UPPER', 'linear', 'NOTSET', 'VALID', 'reflect', '\u0000'])),
    ]);
    attribute.fields.splice(0, attribute.fields.length, ...kept, other);
  },
  'new attribute': (root, random) => {
    const nodes = listOf(root, 'Node');
    if (nodes.length === 0) return;
    const name = any(random, ['axis', 'axes', 'pads', 'strides', 'dilations', 'group', 'kernel_shape', 'auto_pad', 'perm', 'keepdims', 'ceil_mode', 'alpha', 'mode', 'to', 'value', 'epsilon', 'transB', 'blocksize', 'count_include_pad', 'storage_order', 'num_outputs', 'split', 'output_shape']); // biome-ignore format: a list
    const value = any(random, [
      [varintField(3, someInteger(random))],
      Array.from({ length: pick(random, 1, 4) }, () => varintField(8, someInteger(random))),
      [float32(2, any(random, FLOATS))],
      [textField(4, any(random, ['SAME_UPPER', 'SAME_LOWER', 'VALID', 'cubic', 'edge']))],
    ]);
    const fields = [textField(1, name), ...value];
    any(random, nodes).fields.push({ number: 5, wire: 2, message: { name: 'Attribute', fields } });
  },
  dimension: (root, random) => {
    const dims = listOf(root, 'Dimension');
    if (dims.length > 0) put(any(random, dims), varintField(1, someInteger(random)));
  },
  rank: (root, random) => {
    const shapes = listOf(root, 'Shape');
    if (shapes.length === 0) return;
    const { fields } = any(random, shapes);
    if (fields.length > 0 && chance(random, 0.5)) fields.splice(pick(random, 0, fields.length - 1), 1);
    else {
      const dim: Message = { name: 'Dimension', fields: [varintField(1, someInteger(random))] };
      const times = chance(random, 0.1) ? 3000 : pick(random, 1, 6);
      for (let i = 0; i < times; i++) fields.push({ number: 1, wire: 2, message: dim });
    }
  },
  'tensor shape': (root, random) => {
    const tensors = listOf(root, 'Tensor').filter((t) => fieldOf(t, 1));
    if (tensors.length === 0) return;
    const { fields } = any(random, tensors);
    const at = fields.flatMap((f, i) => (f.number === 1 ? [i] : []));
    const i = any(random, at);
    const field = varintField(1, someInteger(random));
    const dice = random();
    if (dice < 0.3) fields.splice(i, 1);
    else fields.splice(i, dice < 0.5 ? 0 : 1, field);
  },
  'tensor type': (root, random) => {
    const tensors = listOf(root, 'Tensor');
    if (tensors.length > 0) put(any(random, tensors), varintField(2, BigInt(pick(random, 0, 24))));
  },
  'port type': (root, random) => {
    const types = listOf(root, 'TensorType');
    if (types.length > 0) put(any(random, types), varintField(1, BigInt(pick(random, 0, 24))));
  },
  'tensor data': (root, random) => {
    const tensors = listOf(root, 'Tensor').filter((t) => fieldOf(t, 9));
    if (tensors.length === 0) return;
    const raw = fieldOf(any(random, tensors), 9)!;
    raw.bytes = damagedBytes(any(random, BYTE_KINDS), raw.bytes!, random);
  },
  'tensor values': (root, random) => {
    const tensors = smallTensors(root).filter((t) => fieldOf(t, 9));
    if (tensors.length === 0) return;
    const tensor = any(random, tensors);
    const type = Number(fieldOf(tensor, 2)?.varint ?? 0n);
    const raw = fieldOf(tensor, 9)!;
    const bytes = raw.bytes!.slice();
    const view = new DataView(bytes.buffer);
    const width = type === 7 ? 8 : type === 1 || type === 6 ? 4 : 1;
    if (bytes.length < width) return;
    const at = width * pick(random, 0, Math.floor(bytes.length / width) - 1);
    if (type === 7) view.setBigInt64(at, BigInt.asIntN(64, someInteger(random)), true);
    else if (type === 1) view.setFloat32(at, any(random, FLOATS), true);
    else if (type === 6) view.setInt32(at, Number(BigInt.asIntN(32, someInteger(random))), true);
    else bytes[at] = pick(random, 0, 255);
    raw.bytes = bytes;
  },
  operator: (root, random) => {
    const nodes = listOf(root, 'Node');
    if (nodes.length > 0) put(any(random, nodes), textField(4, any(random, OPERATORS)));
  },
  'operator set': (root, random) => {
    const sets = listOf(root, 'OperatorSet');
    if (sets.length === 0) return;
    const version = chance(random, 0.7) ? BigInt(pick(random, 1, 24)) : any(random, INTEGERS);
    put(any(random, sets), varintField(2, version));
  },
  'value name': (root, random) => {
    const all = names(root);
    const holders = messagesOf(root).filter((m) => ['Node', 'Tensor', 'ValueInfo'].includes(m.name));
    if (all.length === 0 || holders.length === 0) return;
    const holder = any(random, holders);
    const numbers = holder.name === 'Node' ? [1, 2] : holder.name === 'Tensor' ? [8] : [1];
    const at = holder.fields.flatMap((f, i) => (numbers.includes(f.number) ? [i] : []));
    if (at.length === 0) return;
    const i = any(random, at);
    const name = chance(random, 0.85)
      ? any(random, all)
      : any(random, ['', 'nothing', '__proto__', '\ud800', 'x'.repeat(70_000)]);
    holder.fields[i] = textField(holder.fields[i].number, name);
  },
  'inputs of a node': (root, random) => {
    const nodes = listOf(root, 'Node');
    const all = names(root);
    if (nodes.length === 0 || all.length === 0) return;
    const { fields } = any(random, nodes);
    const kept = fields.filter((f) => f.number !== 1);
    const list = Array.from({ length: pick(random, 0, 6) }, () =>
      textField(1, chance(random, 0.1) ? '' : any(random, all)),
    );
    fields.splice(0, fields.length, ...list, ...kept);
  },
  'node moved': (root, random) => {
    const graphs = listOf(root, 'Graph');
    if (graphs.length === 0) return;
    const { fields } = any(random, graphs);
    const at = fields.flatMap((f, i) => (f.number === 1 ? [i] : []));
    if (at.length < 2) return;
    const [node] = fields.splice(any(random, at), 1);
    fields.splice(pick(random, 0, fields.length), 0, node);
  },
  many: (root, random) => {
    const found = somewhere(root, random, () => true);
    if (!found) return;
    const field = found[0].fields[found[1]];
    if ((field.bytes?.length ?? 0) > 200) return;
    const times = any(random, [20, 300, 3000]);
    if (field.message && messagesOf(field.message).length * times > 30_000) return;
    for (let i = 0; i < times; i++) found[0].fields.push(field);
  },
  nesting: (root, random) => {
    const depth = any(random, [1, 3, 50, 200, 2000, 30_000]);
    const nodes = listOf(root, 'Node');
    if (nodes.length === 0) return;
    // Written from the inside out: a tree of that depth would overflow the stack here.
    let bytes = new Uint8Array();
    const wrap = (tag: number[]) => {
      const length = varintBytes(BigInt(bytes.length));
      const out = new Uint8Array(tag.length + length.length + bytes.length);
      out.set(tag);
      out.set(length, tag.length);
      out.set(bytes, tag.length + length.length);
      bytes = out;
    };
    // Quadratic in the depth, so the deepest are made of one kind only.
    for (let i = 0; i < Math.min(depth, 3000); i++) {
      wrap([0x0a]);
      wrap([0x2a]);
      wrap([0x32]);
    }
    if (depth > 3000) bytes = new Uint8Array(depth).fill(0x0b);
    any(random, nodes).fields.push({ number: 5, wire: 2, bytes });
  },
};

export const ONNX_DAMAGE: readonly string[] = [...BYTE_KINDS, ...Object.keys(DAMAGE)];

/** One fault of the named kind, and now and then others beside it. */
export function damagedOnnx(kind: string, bytes: Uint8Array, random: Random): Uint8Array {
  const raw = BYTE_KINDS.find((k) => k === kind);
  if (raw) return damagedBytes(raw, bytes, random);
  const root = parseMessage('Model', bytes);
  DAMAGE[kind](root, random);
  while (chance(random, 0.2)) DAMAGE[any(random, Object.keys(DAMAGE))](root, random);
  return writeMessage(root);
}
