/**
 * The list of commands. Only the module of the command that is asked for is loaded; the others are known by their
 * line in the help.
 */
import { Command } from 'commander';
import { reportFailure } from './failure.ts';
import { programVersion } from './version.ts';

/** What a file in commands/ exports: sets up arguments and options on a command that has its name. */
export type Define = (command: Command) => void;

interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ readonly define: Define }>;
}

const entries: readonly Entry[] = [
  {
    name: 'fit',
    summary: 'find the cheapest plan within a RAM budget, prove it, and write it',
    load: () => import('./commands/fit.ts'),
  },
  {
    name: 'profile',
    summary: 'show what a model needs today, step by step',
    load: () => import('./commands/profile.ts'),
  },
  {
    name: 'compare',
    summary: 'put every planning method side by side',
    load: () => import('./commands/compare.ts'),
  },
  {
    name: 'restructure',
    summary: 'cut the network into tiles where its peak is, as ONNX that any runtime executes',
    load: () => import('./commands/restructure.ts'),
  },
  {
    name: 'csdf',
    summary: 'line buffers by dataflow analysis: a FIFO for every edge (method 4)',
    load: () => import('./commands/csdf.ts'),
  },
  {
    name: 'overlap',
    summary: 'lay each output over what is dead of its input, layer by layer',
    load: () => import('./commands/overlap.ts'),
  },
  {
    name: 'alloc',
    summary: 'give buffers of a MiniMalloc file their offsets, as low as can be',
    load: () => import('./commands/alloc.ts'),
  },
  {
    name: 'partition',
    summary: 'cut a network into spans that fit a chip, with the least off-chip traffic',
    load: () => import('./commands/partition.ts'),
  },
  {
    name: 'pipeline',
    summary: 'simulate the partition on a row of chips, or run it with worker threads',
    load: () => import('./commands/pipeline.ts'),
  },
  {
    name: 'frontier',
    summary: 'show how far memory comes down for how much is computed twice',
    load: () => import('./commands/frontier.ts'),
  },
  {
    name: 'run',
    summary: 'run a model in its arena on files or pictures',
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'verify',
    summary: 'check a plan, run it, and compare it with a reference',
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'check',
    summary: 'for a CI job: does the model still fit?',
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'bench',
    summary: 'time plans and other runtimes side by side',
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'board',
    summary: 'compile a model for a microcontroller and run it on an emulated one',
    load: () => import('./commands/board.ts'),
  },
  {
    name: 'sweep',
    summary: 'plan many models under many budgets and methods, one JSON line a result',
    load: () => import('./commands/sweep.ts'),
  },
  {
    name: 'zoo',
    summary: 'list the standard topologies, or write one as ONNX',
    load: () => import('./commands/zoo.ts'),
  },
];

const EXAMPLES = `
Examples:
  tidemark fit zoo:mobilenetv2-0.35-144 --dtype int8 --ram 96K -o out
  tidemark profile model.tflite
  tidemark run model.onnx --input cat.png --preprocess imagenet
  tidemark verify model.onnx --ram 256K

Exit codes: 0 success, 1 the answer is no (does not fit, does not verify), 2 bad usage or bad input.
`;

/** Runs the command line and returns the exit code. Never throws. */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    const program = await programFor(args);
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportFailure(error);
  }
}

/** The program with the command that `args` ask for set up in full. */
async function programFor(args: readonly string[]): Promise<Command> {
  const program = quiet(new Command('tidemark'))
    .description('A memory compiler for convolutional networks: the same function in the least memory.')
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
    .addHelpText('after', EXAMPLES);
  const wanted = args.filter((arg) => !arg.startsWith('-'));
  const name = wanted[0] === 'help' ? wanted[1] : wanted[0];
  for (const entry of entries) {
    const command = quiet(program.command(entry.name))
      .description(entry.summary)
      .helpOption('-h, --help', 'show help')
      .showSuggestionAfterError(true)
      .allowExcessArguments(false);
    if (entry.name === name) (await entry.load()).define(command);
  }
  return program;
}

/** Commander throws instead of leaving, and its messages become one line. */
function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({
    outputError: (text, write) => {
      const line = text
        .replace(/^error: /, '')
        .replace(/\s*\n\s*\(Did you mean (.*?)\?\)\s*$/s, '; did you mean $1?')
        .replace(/\s+/g, ' ')
        .trim();
      const help = command.parent ? `tidemark ${command.name()} --help` : 'tidemark --help';
      write(`tidemark: ${line}${line.endsWith('?') ? '' : ` (see: ${help})`}\n`);
    },
  });
}
