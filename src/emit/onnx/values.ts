/**
 * Tensors of the graph as values of the file. A quantised tensor stands there as its stored integers; operators
 * work on real numbers, so each reads through a DequantizeLinear and writes through a QuantizeLinear, which is
 * the form (QDQ) that runtimes turn into integer operators. What is missing in one layout comes from the other
 * through a Transpose.
 */
import { TidemarkError } from '../../errors.ts';
import type { DType, ElementType, Graph, Quantisation, Tensor, TensorId } from '../../graph/graph.ts';
import { axesOf, effective, fileAxis, inFileOrder, type Layout, permTo, rearranged } from './layout.ts';
import type { NodeList } from './nodes.ts';

export class Values {
  readonly nodes: NodeList;
  readonly #graph: Graph;
  /** By tensor and layout: the value as stored, and as real numbers. */
  readonly #stored = new Map<string, string>();
  readonly #real = new Map<string, string>();
  /** Names that tensors want, where they stand at the graph's border. */
  readonly #wanted: ReadonlyMap<TensorId, string>;

  constructor(graph: Graph, nodes: NodeList, wanted: ReadonlyMap<TensorId, string>) {
    this.#graph = graph;
    this.nodes = nodes;
    this.#wanted = wanted;
  }

  tensor(id: TensorId): Tensor {
    return this.#graph.tensors[id];
  }

  /** The tensor as its element type stores it. */
  stored(id: TensorId, layout: Layout): string {
    const t = this.tensor(id);
    const own = effective(t.shape.length, layout);
    const known = this.#stored.get(key(id, own));
    if (known !== undefined) return known;
    let name: string;
    if (t.constant) {
      const values = rearranged(t.constant.load(), t.shape, axesOf(t.shape.length, own));
      name = this.nodes.initializer(t.name, inFileOrder(t.shape, own), values, t.dtype);
    } else {
      const other = this.#stored.get(key(id, own === 'first' ? 'last' : 'first'));
      if (other === undefined) {
        throw new TidemarkError('internal', `tensor ${t.name} is read before it is written`);
      }
      name = this.nodes.node('Transpose', [other], { perm: permTo(own) }, `${t.name}/Transpose`);
    }
    this.#stored.set(key(id, own), name);
    return name;
  }

  /** The tensor as real numbers; integers that are not quantised are numbers already. */
  real(id: TensorId, layout: Layout): string {
    const t = this.tensor(id);
    if (!t.quant) return this.stored(id, layout);
    const own = effective(t.shape.length, layout);
    let name = this.#real.get(key(id, own));
    if (name === undefined) {
      name = this.dequantised(this.stored(id, own), t, fileAxis(t.quant.axis, t.shape.length, own), t.name);
      this.#real.set(key(id, own), name);
    }
    return name;
  }

  /** Says that a node's output, real numbers, is this tensor. */
  define(id: TensorId, layout: Layout, real: string): void {
    const t = this.tensor(id);
    const own = effective(t.shape.length, layout);
    const axis = t.quant ? fileAxis(t.quant.axis, t.shape.length, own) : 0;
    this.defineStored(id, own, t.quant ? this.quantised(real, t, axis, t.name) : real);
  }

  defineStored(id: TensorId, layout: Layout, name: string): void {
    this.#stored.set(key(id, effective(this.tensor(id).shape.length, layout)), name);
    const wanted = this.#wanted.get(id);
    if (wanted === undefined) this.nodes.rename(name, this.nodes.unique(this.tensor(id).name));
  }

  quantised(real: string, type: ElementType, axis: number, name: string): string {
    const { inputs, attrs } = this.#scales(type, axis);
    return this.nodes.node('QuantizeLinear', [real, ...inputs], attrs, `${name}/QuantizeLinear`);
  }

  dequantised(stored: string, type: ElementType, axis: number, name: string): string {
    const { inputs, attrs } = this.#scales(type, axis);
    return this.nodes.node('DequantizeLinear', [stored, ...inputs], attrs, `${name}/DequantizeLinear`);
  }

  #scales({ dtype, quant }: ElementType, axis: number) {
    const { scale, zeroPoint } = quant as Quantisation;
    const shape = scale.length > 1 ? [scale.length] : [];
    const inputs = [this.nodes.floats(scale, shape)];
    // An int32 value (a bias) has no zero point in ONNX.
    if (dtype !== 'i32') inputs.push(this.nodes.small(zeroPoint, smallType(dtype), shape));
    return { inputs, attrs: scale.length > 1 ? { axis } : {} };
  }
}

const key = (id: TensorId, layout: Layout) => `${id}/${layout}`;

function smallType(dtype: DType): 'i8' | 'u8' | 'i16' {
  if (dtype === 'i8' || dtype === 'u8' || dtype === 'i16') return dtype;
  throw new TidemarkError('type-unsupported', `a quantised ${dtype} tensor cannot be written as ONNX`);
}
