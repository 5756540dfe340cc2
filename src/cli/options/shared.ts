/** Options that several commands share, so that each has one spelling and one explanation. */
import { type Command, Option } from 'commander';
import { type LimitOptions, withLimits } from './limits.ts';
import { collectShape, oneOf } from './values.ts';

export interface ModelOptions extends LimitOptions {
  readonly shape?: Record<string, number[]>;
  readonly dtype: 'f32' | 'int8';
}

export type InputPolicyWord = 'reuse' | 'keep' | 'external' | 'streamed';
export type OutputPolicyWord = 'whole' | 'streamed';
export type AccountingWord = 'all' | 'ops-only';

export interface PolicyOptions {
  readonly input: InputPolicyWord;
  readonly output: OutputPolicyWord;
  readonly accounting: AccountingWord;
}

export interface JsonOption {
  readonly json?: boolean;
}

/** MODEL and the options that say how to read it. */
export function withModel(command: Command): Command {
  command
    .argument('<model>', 'a .onnx or .tflite file, or zoo:NAME (see: tidemark zoo)')
    .option(
      '--shape <name=dims>',
      'size of an input that the file leaves open, e.g. input=1x3x224x224 (repeatable)',
      collectShape,
    );
  return withLimits(withDtype(command));
}

/** Element type of a network built here; a file has its own. */
export function withDtype(command: Command): Command {
  return command.addOption(
    new Option('--dtype <type>', 'element type of a zoo model: f32 or int8')
      .default('f32')
      .argParser(oneOf('--dtype', ['f32', 'int8'])),
  );
}

/** Where the network's input and output may lie. */
export function withPolicies(command: Command): Command {
  command
    .addOption(
      new Option(
        '--input <policy>',
        'reuse: in the arena, may be overwritten; keep: survives; external: outside; streamed: arrives run by run',
      )
        .default('reuse')
        .argParser(oneOf('--input', ['reuse', 'keep', 'external', 'streamed'])),
    )
    .addOption(
      new Option('--output <policy>', 'whole: in the arena; streamed: taken out run by run')
        .default('whole')
        .argParser(oneOf('--output', ['whole', 'streamed'])),
    );
  return withAccounting(command);
}

/** What sizes count. */
export function withAccounting(command: Command): Command {
  return command.addOption(
    new Option('--accounting <rule>', 'all: sizes count input and output in the arena; ops-only: neither')
      .default('all')
      .argParser(oneOf('--accounting', ['all', 'ops-only'])),
  );
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON document on stdout and nothing else');
}
