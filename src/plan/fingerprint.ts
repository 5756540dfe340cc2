/** A short name for a graph's structure: shapes, types, operators, attributes. Weights' values are not in it. */
import type { Graph } from '../graph/graph.ts';

/** FNV-1a over 64 bits in two halves, as 16 hexadecimal digits. */
function hash(text: string): string {
  let a = 0x811c9dc5;
  let b = 0xcbf29ce4;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = Math.imul(b ^ (c + i), 0x01000193);
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}

export function fingerprint(graph: Graph): string {
  const parts: string[] = [graph.dialect];
  for (const t of graph.tensors) parts.push(`${t.dtype}${t.constant ? 'c' : ''}[${t.shape}]`);
  for (const op of graph.operators) {
    const attrs = JSON.stringify(op.attrs);
    const epilogue = (op.epilogue ?? []).map((e) => e.kind).join('+');
    parts.push(`${op.kind}(${op.inputs})->(${op.outputs})${attrs}${epilogue}`);
  }
  for (const p of [...graph.inputs, ...graph.outputs]) parts.push(`${p.tensor}`);
  return hash(parts.join('\n'));
}
