/**
 * The standard topologies, built in code with seeded weights. Building and planning a network makes no
 * weights; running it does. An int8 network has placeholder scales until it is calibrated: plans for one are
 * plans for the other, since both have the same operators and tensors.
 */
import { TidemarkError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { graphMacs, weightBytes } from '../plan/metrics.ts';
import { calibrate, calibrationInputs } from './calibrate.ts';
import { catalogue, type ZooEntry } from './catalogue.ts';
import type { NetOptions } from './net.ts';
import { quantiseGraph } from './quantise.ts';
import { placeholderRanges, type Ranges } from './ranges.ts';

export interface ZooOptions extends NetOptions {
  /** Left out: f32. */
  readonly dtype?: 'f32' | 'int8';
}

/** A network as a list shows it. */
export interface ZooListing {
  readonly name: string;
  /** Shape of the input as a file has it: batch, channels, height, width. */
  readonly input: readonly number[];
  readonly macs: number;
  readonly weightBytes: number;
}

/** Keeps calibrated ranges, by network name; a file cache of the command line may be one. */
export interface RangeCache {
  get(name: string): Ranges | undefined;
  set(name: string, ranges: Ranges): void;
}

export function zooNames(): string[] {
  return catalogue.map((entry) => entry.name);
}

/** Throws `usage`, with all names, where there is no such network. */
export function zooEntry(name: string): ZooEntry {
  const entry = catalogue.find((e) => e.name === name);
  if (!entry)
    throw new TidemarkError('usage', `no zoo model ${name}: expected one of ${zooNames().join(', ')}`);
  return entry;
}

/** A network ready to be planned. As int8 its scales are placeholders: see `calibratedZooGraph`. */
export function zooGraph(name: string, options: ZooOptions = {}): Graph {
  const graph = zooEntry(name).build(options);
  return options.dtype === 'int8'
    ? quantiseGraph(graph, placeholderRanges(graph), { placeholderWeights: true })
    : graph;
}

const memory = new Map<string, Ranges>();

/** The int8 network with the scales of a seeded calibration run. Slow the first time: it runs the network. */
export function calibratedZooGraph(name: string, options: NetOptions & { cache?: RangeCache } = {}): Graph {
  const { cache = memory, size, width } = options;
  const entry = zooEntry(name);
  const key = `${name}${size ? `/${size}` : ''}${width ? `/${width}` : ''}`;
  const graph = entry.build({ size, width });
  let ranges = cache.get(key);
  if (!ranges) {
    const small = size ? undefined : entry.calibrationSize;
    const run = small ? entry.build({ width, size: small }) : graph;
    ranges = calibrate(run, calibrationInputs(run, name));
    cache.set(key, ranges);
  }
  return quantiseGraph(graph, ranges);
}

/** What the list of the zoo shows of each network. */
export function zooListing(): ZooListing[] {
  return zooNames().map((name) => {
    const graph = zooGraph(name);
    return { name, input: graph.inputs[0].shape, macs: graphMacs(graph), weightBytes: weightBytes(graph) };
  });
}
