/** The nodes that the graph's outputs need, in an order in which every value is written before it is read. */
import { TidemarkError } from '../../errors.ts';
import type { GraphProto, NodeProto } from './schema.ts';

/** How messages call a node. */
export function nodeName(node: NodeProto): string {
  return node.name || node.output.find((o) => o !== '') || node.opType;
}

/** `known` are the names of inputs and initialisers. Throws `graph-cyclic` and `graph-invalid`. */
export function orderedNodes(graph: GraphProto, known: ReadonlySet<string>): NodeProto[] {
  const producer = producersByName(graph, known);
  const state = new Map<NodeProto, 'open' | 'done'>();
  const order: NodeProto[] = [];
  // An explicit stack: graphs are deep, the call stack is not.
  const stack: { node: NodeProto; next: number }[] = [];
  const visit = (name: string, reader: string) => {
    if (name === '' || known.has(name)) return;
    const node = producer.get(name);
    if (!node) throw new TidemarkError('graph-invalid', `${reader} reads "${name}", which nothing produces`);
    if (state.get(node) === 'done') return;
    if (state.get(node) === 'open') {
      throw new TidemarkError(
        'graph-cyclic',
        `node ${nodeName(node)} (${node.opType}) depends on its own output "${name}"`,
      );
    }
    state.set(node, 'open');
    stack.push({ node, next: 0 });
  };
  for (const output of graph.output) {
    visit(output.name, 'the graph output');
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.input.length) {
        visit(top.node.input[top.next++], `node ${nodeName(top.node)} (${top.node.opType})`);
      } else {
        state.set(top.node, 'done');
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return inFileOrder(graph, order);
}

function producersByName(graph: GraphProto, known: ReadonlySet<string>): Map<string, NodeProto> {
  const producer = new Map<string, NodeProto>();
  for (const node of graph.node) {
    for (const name of node.output) {
      if (name === '') continue;
      if (producer.has(name) || known.has(name)) {
        throw new TidemarkError(
          'graph-invalid',
          `node ${nodeName(node)}: the value "${name}" is produced twice`,
        );
      }
      producer.set(name, node);
    }
  }
  return producer;
}

/** The file's own order where it is valid (it usually is), else the one found. */
function inFileOrder(graph: GraphProto, found: NodeProto[]): NodeProto[] {
  const needed = new Set(found);
  const listed = graph.node.filter((node) => needed.has(node));
  const later = new Set(listed.flatMap((node) => node.output.filter((name) => name !== '')));
  for (const node of listed) {
    if (node.input.some((name) => later.has(name))) return found;
    for (const name of node.output) later.delete(name);
  }
  return listed;
}
