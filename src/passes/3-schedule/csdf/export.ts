/** The graph for other tools: SDF3's XML (https://www.es.ele.tue.nl/sdf3/), and DOT. */
import { type CsdfGraph, ratesOf } from './model.ts';

/**
 * SDF3's format for CSDF graphs. Tokens are elements. The lines that a window keeps are a channel from an actor to
 * itself, named `..._kept`; a channel named `..._state` with one token lets no actor overtake itself. Execution times
 * are multiply-accumulates a phase. `sizes` become the buffer sizes of the channels, kept lines included. Rates are
 * written out one by one, which every reader of the format takes.
 */
export function toSdf3(graph: CsdfGraph, sizes: readonly number[]): string {
  const { actors, edges } = graph;
  const names = uniqueNames(graph);
  const ports = actors.map((): string[] => []);
  const channels: string[] = [];
  const properties: string[] = [];
  const port = (actor: number, type: 'in' | 'out', name: string, rates: readonly number[]) => {
    ports[actor].push(`        <port type="${type}" name="${name}" rate="${rates.join(',')}"/>`);
    return name;
  };
  edges.forEach((e, i) => {
    const out = port(e.from, 'out', `out${i}`, ratesOf(e.made));
    const inn = port(e.to, 'in', `in${i}`, ratesOf(e.needs));
    channels.push(channel(`e${i}`, names[e.from], out, names[e.to], inn));
    properties.push(
      `      <channelProperties channel="e${i}">`,
      `        <bufferSize sz="${sizes[i]}"/>`,
      `        <tokenSize sz="${8 * e.tokenBytes}"/>`,
      '      </channelProperties>',
    );
    if (e.keeps.every((k) => k === 0)) return;
    // The first phase finds nothing kept, the last leaves nothing.
    const kept = Array.from(e.keeps);
    const before = kept.map((_, p) => (p === 0 ? 0 : kept[p - 1]));
    const give = port(e.to, 'out', `keep${i}`, kept);
    const take = port(e.to, 'in', `kept${i}`, before);
    channels.push(channel(`e${i}_kept`, names[e.to], give, names[e.to], take));
  });
  actors.forEach(({ phases }, a) => {
    const ones = new Array<number>(phases).fill(1);
    const give = port(a, 'out', 'next', ones);
    const take = port(a, 'in', 'state', ones);
    channels.push(channel(`${names[a]}_state`, names[a], give, names[a], take, 1));
  });
  const title = escaped(graph.name);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<sdf3 type="csdf" version="1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.es.ele.tue.nl/sdf3/xsd/sdf3-csdf.xsd">',
    `  <applicationGraph name="${title}">`,
    `    <csdf name="${title}" type="${title}">`,
    ...actors.flatMap((a, i) => [
      `      <actor name="${names[i]}" type="${escaped(a.kind)}">`,
      ...ports[i],
      '      </actor>',
    ]),
    ...channels,
    '    </csdf>',
    '    <csdfProperties>',
    ...actors.flatMap(({ macs, phases }, i) => [
      `      <actorProperties actor="${names[i]}">`,
      '        <processor type="p" default="true">',
      `          <executionTime time="${new Array<number>(phases).fill(Math.ceil(macs / phases)).join(',')}"/>`,
      '        </processor>',
      '      </actorProperties>',
    ]),
    ...properties,
    '    </csdfProperties>',
    '  </applicationGraph>',
    '</sdf3>',
    '',
  ].join('\n');
}

function channel(name: string, from: string, out: string, to: string, inn: string, tokens = 0): string {
  const initial = tokens > 0 ? ` initialTokens="${tokens}"` : '';
  return `      <channel name="${name}" srcActor="${from}" srcPort="${out}" dstActor="${to}" dstPort="${inn}"${initial}/>`;
}

/** Letters, digits and underscores; a number behind what would be there twice. */
function uniqueNames({ actors }: CsdfGraph): string[] {
  const used = new Set<string>();
  return actors.map(({ name }, i) => {
    const plain = name.replace(/[^A-Za-z0-9_]/g, '_') || 'actor';
    const unique = used.has(plain) ? `${plain}_${i}` : plain;
    used.add(unique);
    return unique;
  });
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/** DOT: actors with their phases, edges with their FIFO's size and, in brackets, the whole tensor. */
export function toDot(graph: CsdfGraph, sizes: readonly number[]): string {
  const { actors, edges } = graph;
  const quoted = (text: string) => `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;
  return [
    `digraph ${quoted(graph.name)} {`,
    '  rankdir=TB;',
    '  node [shape=box, style=rounded];',
    ...actors.map((a, i) => {
      const shape = a.kind === 'input' || a.kind === 'output' ? ', shape=ellipse' : '';
      return `  a${i} [label=${quoted(`${a.name}\n${a.phases} x`).replace(/\n/g, '\\n')}${shape}];`;
    }),
    ...edges.map((e, i) => {
      const label = `${sizes[i] * e.tokenBytes} (${e.wholeTokens * e.tokenBytes})`;
      return `  a${e.from} -> a${e.to} [label=${quoted(label)}];`;
    }),
    '}',
    '',
  ].join('\n');
}
