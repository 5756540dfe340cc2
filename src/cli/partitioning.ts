/** What `partition` and `pipeline` share: a model's layers, the options for them, and a partition by name. */
import { type Command, Option } from 'commander';
import { TidemarkError } from '../errors.ts';
import { canStream, refuseTooLarge } from '../fit/limits.ts';
import { type LayerNet, layersOf } from '../passes/2-partition/layers.ts';
import { type Partition, Partitioner } from '../passes/2-partition/partition.ts';
import { loadModel } from './model.ts';
import type { PlanningBounds } from './options/limits.ts';
import type { ModelOptions } from './options/shared.ts';
import { parseSize } from './options/size.ts';
import { oneOf } from './options/values.ts';

export interface ChipOptions extends ModelOptions, PlanningBounds {
  readonly chip: number;
  readonly weights: boolean;
  readonly dense: boolean;
  readonly inPlace?: boolean;
  readonly order: 'best' | 'file';
  readonly constants: 'element' | 'stored';
}

export function withChip(command: Command): Command {
  return command
    .option('--no-weights', 'filters and biases take no room on the chip')
    .option('--no-dense', 'stop before the first dense layer')
    .option('--in-place', 'adds write over the row they read (left out: their output row is their own)')
    .addOption(
      new Option('--order <which>', 'best: any order the layers can run in; file: theirs')
        .default('best')
        .argParser(oneOf('--order', ['best', 'file'])),
    )
    .addOption(
      new Option(
        '--constants <count>',
        'element: a filter value or bias counts as one element of the map; stored: as the model keeps it',
      )
        .default('element')
        .argParser(oneOf('--constants', ['element', 'stored'])),
    );
}

export const chipSize = (text: string): number => parseSize(text, '--chip');

export function layersOfModel(model: string, options: ChipOptions & { readonly toRun?: boolean }): LayerNet {
  const { graph } = loadModel(model, options);
  refuseTooLarge(graph);
  if (!canStream(graph))
    throw new TidemarkError(
      'shape-too-large',
      `${model}: it has more rows than can be followed one by one; give smaller shapes`,
    );
  const net = layersOf(graph, { dense: options.dense, constants: options.constants });
  if (net.layers.length === 0)
    throw new TidemarkError('usage', `${model}: no layer is left to partition (see --no-dense)`);
  return net;
}

export interface Chosen {
  readonly partitioner: Partitioner;
  readonly best: Partition;
  /** In the order of the file. */
  readonly inFileOrder: Partition;
  /** What came of looking at other orders. */
  readonly order: 'file' | 'better';
  /** Every order was looked at. */
  readonly orderExact: boolean;
}

/** The best partition, in the best order where that is asked for and can be found. */
export function choosePartition(net: LayerNet, options: ChipOptions): Chosen {
  const partitioner = new Partitioner(net, {
    capacityBytes: options.chip,
    weights: options.weights,
    inPlace: options.inPlace,
  });
  const inFileOrder = partitioner.best();
  const file = { partitioner, best: inFileOrder, inFileOrder, order: 'file' } as const;
  if (options.order === 'file') return { ...file, orderExact: false };
  const exact = partitioner.bestInAnyOrder();
  const other = exact ?? partitioner.bestInImprovedOrder();
  const orderExact = exact !== undefined;
  return other.trafficBytes < inFileOrder.trafficBytes
    ? { partitioner, best: other, inFileOrder, order: 'better', orderExact }
    : { ...file, orderExact };
}
