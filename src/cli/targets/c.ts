/** `fit --target c`: the plan as C99, for any compiler; `c-vector16` and so on for GCC and Clang. */
import { layoutFiles } from '../../emit/c/layouts.ts';
import { emitC } from '../../emit/c/model.ts';
import { lowerPlan } from '../../kernels/lower.ts';
import {
  ARM_DSP,
  ARM_DSP_WIDE,
  HELIUM,
  type Machine,
  PLAIN,
  VECTOR16,
  VECTOR32,
  VECTOR64,
  VECTOR64_VNNI,
} from '../../kernels/machine.ts';
import { stackBytes } from '../../kernels/stack.ts';
import { formatSize } from '../../report/format.ts';
import type { Target, TargetFile } from '../targets.ts';

/** From here on constants go into a file of bytes: compilers take long over arrays of millions. */
const MOST_ARRAY_BYTES = 8 * 1024 * 1024;

const SOURCE = `The network as C99 that needs no heap and nothing of the library but memcpy and memset. Compile it with any
C99 compiler: cc -O2 -std=c99 -c c/src/model.c. Results are the same everywhere; -DMODEL_FAST with -ffp-contract=fast lets
products and sums of floats be fused.`;

const HEADER = `How to call it: model_io io = { { input }, { output }, NULL, NULL, NULL }; model_run(&io); Sizes are in it, and
the arena: static, or one of your own by MODEL_ARENA and MODEL_ARENA_BYTES, whose size is checked when compiling.
Rows can be streamed by io.read and io.write instead of pointers.`;

const WEIGHTS = `The constants, for model_set_weights: put the bytes into flash or map the file, aligned to 64.`;

const LAYOUT = `The folder c is a CMake library, an ESP-IDF component, a Zephyr module, an Arduino library and a PlatformIO
library as it is: put it where the build looks for such.`;

function targetFor(machine: Machine, folder: string): Target {
  return {
    write({ compiled }) {
      const program = lowerPlan(compiled.graph, compiled.plan, machine);
      const dataBytes = program.data.reduce((n, d) => n + d.bytes.length, 0);
      const { files, weightBytes } = emitC(program, {
        weights: dataBytes > MOST_ARRAY_BYTES ? 'file' : 'arrays',
      });
      const about = (name: string) =>
        name.endsWith('.h') ? HEADER : name.endsWith('.bin') ? WEIGHTS : SOURCE;
      const code = Object.entries(files).map(
        ([name, content]): TargetFile => ({ name: `${folder}/src/${name}`, content, about: about(name) }),
      );
      const layouts = Object.entries(layoutFiles(compiled.graph.name)).map(
        ([name, content]): TargetFile => ({ name: `${folder}/${name}`, content, about: LAYOUT }),
      );
      const stack = stackBytes(program);
      return {
        files: [...code, ...layouts],
        figures: {
          machine: machine.name,
          arenaBytes: program.arenaBytes,
          ...(program.banks.length > 0 ? { banks: program.banks } : {}),
          weightBytes,
          stackBytes: stack,
          functions: program.functions.length,
        },
        fits: true,
        lines: [
          [
            folder,
            `${folder}/src/model.c; ${formatSize(weightBytes)} of constants, at most about ${formatSize(stack)} of stack beside the arena`,
          ],
        ],
      };
    },
  };
}

export const target = targetFor(PLAIN, 'c');
export const dsp = { target: targetFor(ARM_DSP, 'c-dsp') };
export const dspWide = { target: targetFor(ARM_DSP_WIDE, 'c-dsp-wide') };
export const helium = { target: targetFor(HELIUM, 'c-helium') };
export const vector16 = { target: targetFor(VECTOR16, 'c-vector16') };
export const vector32 = { target: targetFor(VECTOR32, 'c-vector32') };
export const vector64 = { target: targetFor(VECTOR64, 'c-vector64') };
export const vnni = { target: targetFor(VECTOR64_VNNI, 'c-vector64-vnni') };
