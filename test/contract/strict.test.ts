/**
 * Emitted C gives no compiler a reason to warn: networks of the zoo, floats and integers, plain and with vectors, under plans
 * of all kinds, in C99 and nothing more.
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { emitC } from '../../src/emit/c/model.ts';
import { lowerPlan } from '../../src/kernels/lower.ts';
import { type Machine, PLAIN, VECTOR16, VECTOR32 } from '../../src/kernels/machine.ts';
import { findCompiler } from '../../src/run/c-backend.ts';
import { type DType, networkOf } from './networks.ts';
import { techniques } from './techniques.ts';

const STRICT = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic', '-fsyntax-only'];
const compilers = ['gcc', 'clang'].filter((name) => findCompiler([name]));
const note = compilers.length > 0 ? '' : ' (skipped: no C compiler; install gcc or clang)';

const machines: readonly Machine[] = [PLAIN, VECTOR16, VECTOR32];

const cases: readonly (readonly [network: string, dtype: DType, technique: string, machine: string])[] = [
  ['resnet8', 'int8', 'fit, two banks', 'plain'],
  ['resnet8', 'f32', 'fit, two banks', 'vector32'],
  ['mobilenetv2-0.35-144', 'int8', 'fit, input streamed, output streamed', 'vector16'],
  ['mobilenetv2-0.35-144', 'f32', 'overlap', 'plain'],
  ['squeezenet1.1', 'int8', 'csdf-reuse', 'vector32'],
  ['squeezenet1.1', 'f32', 'fit, input external, output whole', 'vector16'],
  ['tinyyolov3', 'int8', 'layer by layer', 'plain'],
  ['unet', 'f32', 'fit, two banks', 'vector16'],
  ['ssd-mobilenetv1-300', 'int8', 'csdf', 'vector16'],
  ['fsrcnn', 'f32', 'fit, input keep, output streamed', 'plain'],
  ['ds-cnn', 'int8', 'restructure, then layer by layer', 'plain'],
  ['mobilenetv1-0.25-96', 'int8', 'strips, windows turned', 'vector16'],
  ['squeezenet1.0', 'f32', 'channel groups', 'vector32'],
];

describe.skipIf(compilers.length === 0)(`no warnings${note}`, () => {
  test.each(cases)('%s, %s, %s, for %s', (name, dtype, technique, machineName) => {
    const machine = machines.find((m) => m.name === machineName)!;
    const network = networkOf(name, dtype);
    for (const { graph, plan } of techniques.find((t) => t.name === technique)!.way(network).parts) {
      const { files } = emitC(lowerPlan(graph, plan, machine));
      // The header in place of its include, so that nothing need be written.
      const input = String(files['model.c']).replace('#include "model.h"', () => String(files['model.h']));
      for (const compiler of compilers) {
        const { stderr } = spawnSync(compiler, [...STRICT, '-x', 'c', '-'], { input, encoding: 'utf8' });
        expect(stderr, compiler).toBe('');
      }
    }
  });
});
