#!/usr/bin/env node
/** The program's entry: runs the command line and turns its outcome into an exit code. */
import { finishQuietly } from './process.ts';
import { runProgram } from './program.ts';

finishQuietly();
process.exitCode = await runProgram(process.argv.slice(2));
