/** Graph inputs and outputs as the file has them: own shape, order of dimensions and element type. */
import type { Graph, Port, TensorId } from '../../graph/graph.ts';
import { fileTypeNamed } from '../../model/onnx/element-type.ts';
import type { ModelInit } from '../../model/onnx/schema.ts';
import { effective, inFileOrder, type Layout } from './layout.ts';
import type { NodeList } from './nodes.ts';
import type { Values } from './values.ts';

type ValueInfo = NonNullable<NonNullable<ModelInit['graph']>['input']>[number];

const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** The layout in which a tensor is exactly what its port shows; undefined where it must be moved. */
function directLayout(graph: Graph, port: Port): Layout | undefined {
  const { shape } = graph.tensors[port.tensor];
  if (port.perm && !port.perm.every((axis, i) => axis === i)) {
    const pictures = same(port.perm, [0, 2, 3, 1]) && shape.length === 4;
    return pictures && same(port.shape, inFileOrder(shape, 'first')) ? 'first' : undefined;
  }
  return same(port.shape, shape) ? 'last' : undefined;
}

function valueInfo(port: Port): ValueInfo {
  const dim = port.shape.map((d) => ({ dimValue: BigInt(d) }));
  return {
    name: port.name,
    type: { tensorType: { elemType: fileTypeNamed(port.dtype).code, shape: { dim } } },
  };
}

/** Names at the border, reserved before anything else is named. */
export function portNames(graph: Graph, nodes: NodeList): Map<TensorId, string> {
  const names = new Map<TensorId, string>();
  for (const port of [...graph.inputs, ...graph.outputs]) {
    nodes.unique(port.name);
    if (!names.has(port.tensor)) names.set(port.tensor, port.name);
  }
  return names;
}

/** Declares the inputs and says which values they are. */
export function writeInputs(graph: Graph, values: Values): ValueInfo[] {
  const { nodes } = values;
  for (const port of graph.inputs) {
    const t = graph.tensors[port.tensor];
    let name = port.name;
    if (port.dtype !== t.dtype) {
      name = nodes.node('Cast', [name], { to: fileTypeNamed(t.dtype).code }, `${port.name}/Cast`);
    }
    const direct = directLayout(graph, port);
    if (direct === undefined) {
      const { perm } = port;
      if (perm) name = nodes.node('Transpose', [name], { perm }, `${port.name}/Transpose`);
      const shape = perm ? perm.map((axis) => port.shape[axis]) : port.shape;
      if (!same(shape, t.shape)) {
        name = nodes.node('Reshape', [name, nodes.integers(t.shape)], {}, `${port.name}/Reshape`);
      }
    }
    values.defineStored(port.tensor, direct ?? 'last', name);
  }
  return graph.inputs.map(valueInfo);
}

/** Declares the outputs and brings each tensor into the form that its port shows, under the port's name. */
export function writeOutputs(graph: Graph, values: Values): ValueInfo[] {
  const { nodes } = values;
  // Some files show one output twice; once says it all.
  const ports = graph.outputs.filter((p, i, all) => all.findIndex((q) => q.name === p.name) === i);
  for (const port of ports) {
    const t = graph.tensors[port.tensor];
    const direct = directLayout(graph, port);
    let name = values.stored(port.tensor, effective(t.shape.length, direct ?? 'last'));
    if (direct === undefined) {
      const shape = port.perm ? port.perm.map((axis) => port.shape[axis]) : port.shape;
      if (!same(shape, t.shape)) {
        name = nodes.node('Reshape', [name, nodes.integers(shape)], {}, `${port.name}/Reshape`);
      }
      if (port.perm) {
        const { perm } = port;
        const inverse = perm.map((_, axis) => perm.indexOf(axis));
        name = nodes.node('Transpose', [name], { perm: inverse }, `${port.name}/Transpose`);
      }
    }
    if (port.dtype !== t.dtype) {
      name = nodes.node('Cast', [name], { to: fileTypeNamed(port.dtype).code }, `${port.name}/Cast`);
    }
    if (!nodes.rename(name, port.name)) {
      nodes.rename(nodes.node('Identity', [name], {}, `${port.name}/Identity`), port.name);
    }
  }
  return ports.map(valueInfo);
}
