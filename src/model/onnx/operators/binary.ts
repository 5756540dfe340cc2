/** Functions of several values that broadcast against each other. */
import { fileTypeNamed } from '../element-type.ts';
import { combined, type Importer, input, type NodeContext, refuse, scalar } from '../node-context.ts';
import { reshaped, type Value } from '../value.ts';

const SIMPLE = ['Add', 'Sub', 'Mul', 'Div', 'Pow'];
const COMPARISONS = ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor'];

/** The two inputs. Before operator set 7 the second one was aligned by an attribute. */
function operands(c: NodeContext): [Value, Value] {
  const a = input(c, 0);
  const b = input(c, 1);
  if (c.opset >= 7 || !c.attrs.has('axis')) return [a, b];
  const given = c.attrs.int('axis', 0);
  const axis = given < 0 ? given + a.shape.length : given;
  if (axis < 0 || axis > a.shape.length)
    refuse(`axis ${given} does not exist in a value of rank ${a.shape.length}`);
  const after = Math.max(0, a.shape.length - axis - b.shape.length);
  return [a, reshaped(c.b, b, [...b.shape, ...new Array(after).fill(1)])];
}

/** A chain of a two-operand operator over any number of inputs. */
function chain(c: NodeContext, kind: string, last = true): Value {
  let sum = input(c, 0);
  if (c.inputs.length === 1) return sum;
  for (let i = 1; i < c.inputs.length; i++) {
    const end = last && i === c.inputs.length - 1;
    sum = combined(c, kind, [sum, input(c, i)], {}, { output: end ? 0 : `part${i}` });
  }
  return sum;
}

const mod: Importer = (c) => {
  const x = input(c, 0);
  if (c.attrs.int('fmod', 0) !== 0) refuse('Mod with fmod = 1 is not supported');
  return [combined(c, 'Mod', [x, input(c, 1)])];
};

export const binaryImporters: Record<string, Importer> = {
  ...Object.fromEntries(
    SIMPLE.map((kind): [string, Importer] => [kind, (c) => [combined(c, kind, operands(c))]]),
  ),
  ...Object.fromEntries(
    COMPARISONS.map((kind): [string, Importer] => [
      kind,
      (c) => [combined(c, kind, operands(c), {}, { type: fileTypeNamed('bool') })],
    ]),
  ),
  Mod: mod,
  Sum: (c) => [chain(c, 'Add')],
  Max: (c) => [chain(c, 'Max')],
  Min: (c) => [chain(c, 'Min')],
  Mean: (c) => [combined(c, 'Div', [chain(c, 'Add', false), scalar(c, c.inputs.length)])],
  Where: (c) => {
    const values = [input(c, 0), input(c, 1), input(c, 2)];
    return [combined(c, 'Where', values, {}, { type: values[1].type })];
  },
  PRelu: (c) => {
    const x = input(c, 0);
    let slope = input(c, 1);
    // A slope of shape [C] belongs to dimension 1 where numpy's rule does not fit (older exporters).
    const channels = slope.shape.length === 1 && slope.shape[0] === x.shape[1] && slope.shape[0] > 1;
    if (channels && x.shape.length > 2 && x.shape[x.shape.length - 1] !== slope.shape[0]) {
      slope = reshaped(c.b, slope, [...slope.shape, ...new Array(x.shape.length - 2).fill(1)]);
    }
    return [combined(c, 'PRelu', [x, slope])];
  },
};
