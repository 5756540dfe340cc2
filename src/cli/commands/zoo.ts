/** `tidemark zoo`: lists the standard topologies, or writes one as an ONNX file. */
import type { Command } from 'commander';
import { writeOnnx } from '../../emit/onnx/write.ts';
import { TidemarkError } from '../../errors.ts';
import { formatCount, formatSize } from '../../report/format.ts';
import { calibratedZooGraph, zooGraph, zooListing } from '../../zoo/zoo.ts';
import { writeWhole } from '../files.ts';
import { type ModelOptions, withDtype, withJson } from '../options/shared.ts';
import { answer } from '../output.ts';
import { table } from '../terminal/table.ts';

interface Options extends ModelOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .argument('[name]', 'a network of the list, to write it as a file')
    .option('-o, --output <file>', 'where to write it (.onnx)')
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark zoo\n  tidemark zoo resnet8 -o resnet8.onnx\n  tidemark zoo ds-cnn --dtype int8 -o ds-cnn-int8.onnx\n',
    )
    .action(run);
  withDtype(command);
  withJson(command);
}

function run(name: string | undefined, options: Options): void {
  const models = zooListing();
  if (name === undefined) {
    if (options.output)
      throw new TidemarkError(
        'usage',
        '--output needs the name of a network: tidemark zoo NAME -o FILE.onnx',
      );
    answer(options.json, { models }, () => listing(models));
    return;
  }
  const key = name.replace(/^zoo:/, '');
  const model = models.find((m) => m.name === key);
  if (!model)
    throw new TidemarkError(
      'usage',
      `no zoo model ${key}: expected one of ${models.map((m) => m.name).join(', ')}`,
    );
  if (!options.output) {
    answer(options.json, { models: [model] }, () => listing([model]));
    return;
  }
  const bytes = writeOnnx(options.dtype === 'int8' ? calibratedZooGraph(key) : zooGraph(key));
  writeWhole(options.output, bytes);
  answer(
    options.json,
    { models: [model], file: options.output, bytes: bytes.length },
    () => `${options.output}: ${formatSize(bytes.length)}`,
  );
}

function listing(
  models: readonly { name: string; input: readonly number[]; macs: number; weightBytes: number }[],
): string {
  return table(
    [
      { title: 'name' },
      { title: 'input' },
      { title: 'MACs', align: 'right' },
      { title: 'weights (f32)', align: 'right' },
    ],
    models.map((m) => [m.name, m.input.join('x'), formatCount(m.macs), formatSize(m.weightBytes)]),
  );
}
