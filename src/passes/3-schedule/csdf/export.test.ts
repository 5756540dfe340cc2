import { expect, test } from 'vitest';
import { normalise } from '../../../model/normalise/normalise.ts';
import { zooGraph } from '../../../zoo/zoo.ts';
import { toDot, toSdf3 } from './export.ts';
import { csdfOf } from './from-graph.ts';
import { sizesOf } from './sizes.ts';

const csdf = csdfOf(normalise(zooGraph('resnet8', { dtype: 'int8' })), { padding: 'exact' });
const { trace } = sizesOf(csdf, { preference: 'downstream' });

const attribute = (line: string, name: string) => new RegExp(` ${name}="([^"]*)"`).exec(line)![1];

test('SDF3: ports, channels and properties fit together, and every channel is consistent', () => {
  const lines = toSdf3(csdf, trace.most).split('\n');
  const ports = new Map<string, number[]>();
  let actor = '';
  for (const line of lines) {
    if (line.includes('<actor ')) actor = attribute(line, 'name');
    if (line.includes('<port '))
      ports.set(`${actor}.${attribute(line, 'name')}`, attribute(line, 'rate').split(',').map(Number));
  }
  const channels = lines.filter((l) => l.includes('<channel '));
  expect(channels.length).toBeGreaterThan(csdf.edges.length);
  const total = (rates: readonly number[]) => rates.reduce((n, r) => n + r, 0);
  for (const c of channels) {
    const out = ports.get(`${attribute(c, 'srcActor')}.${attribute(c, 'srcPort')}`)!;
    const inn = ports.get(`${attribute(c, 'dstActor')}.${attribute(c, 'dstPort')}`)!;
    expect(total(out)).toBe(total(inn));
  }
  expect(lines.filter((l) => l.includes('<actorProperties')).length).toBe(csdf.actors.length);
  // Tags close in the order in which they opened.
  const open: string[] = [];
  for (const [, close, tag, alone] of lines.join('').matchAll(/<(\/?)([A-Za-z0-9]+)(?: [^<>]*?)?(\/?)>/g)) {
    if (close) expect(open.pop()).toBe(tag);
    else if (!alone) open.push(tag);
  }
  expect(open).toEqual([]);
});

test('DOT: an actor a line, an edge a line', () => {
  const dot = toDot(csdf, trace.most);
  expect(dot.match(/\[label=.* x"/g)?.length).toBe(csdf.actors.length);
  expect(dot.match(/ -> /g)?.length).toBe(csdf.edges.length);
  expect(dot.startsWith('digraph')).toBe(true);
});
