/** `fit --target wasm`: the plan as a WebAssembly module, and the script that loads it. */
import { LOADER } from '../../emit/wasm/loader.ts';
import { relaxedLoader } from '../../emit/wasm/relaxed.ts';
import { formatSize } from '../../report/format.ts';
import { emitPlan } from '../../run/wasm-backend.ts';
import type { Target } from '../targets.ts';

const MODULE = `The plan as one WebAssembly module: kernels made for this model, its weights, and one memory with the
arena at a fixed place. Needs fixed-width SIMD, as every browser since 2023 and Node have it.`;

const SCRIPT = `Loads model.wasm, which lies beside it, in browsers and Node, and needs nothing else: import
{ load } from './model.mjs'; const model = await load(); const outputs = model.run({ NAME: values }); model.inputs and
model.outputs have names, shapes and types. Its first lines say how rows are streamed and how copies are avoided.`;

export const target: Target = {
  write({ compiled }) {
    const { wasm, description, functions } = emitPlan(compiled.graph, compiled.plan);
    const codeBytes = functions.reduce((n, f) => n + f.bytes, 0);
    const loader = new TextEncoder().encode(LOADER);
    return {
      files: [
        { name: 'model.wasm', content: wasm, about: MODULE },
        { name: 'model.mjs', content: loader, about: SCRIPT },
      ],
      figures: {
        bytes: wasm.length,
        codeBytes,
        loaderBytes: loader.length,
        arenaBytes: description.arena.bytes,
        ...(description.banks ? { banks: description.banks } : {}),
        functions: functions.length,
      },
      fits: true,
      lines: [
        [
          'wasm',
          `model.wasm, ${formatSize(wasm.length)}, of which ${formatSize(codeBytes)} are code; model.mjs, ${formatSize(loader.length)}`,
        ],
      ],
    };
  },
};

const RELAXED = `The same for hosts with relaxed SIMD (Chrome 114, Node 22): products and sums of floats are fused, and the last
bits differ from machine to machine. The script takes it where the host can, and model.wasm elsewhere.`;

const FOLDER = 'wasm-relaxed';

/** `fit --target wasm-relaxed`: both modules, and the script that takes the one that the host can run. */
export const relaxed: { readonly target: Target } = {
  target: {
    write({ compiled }) {
      const { graph, plan } = compiled;
      const plain = emitPlan(graph, plan);
      const fused = emitPlan(graph, plan, { relaxed: true });
      const loader = new TextEncoder().encode(relaxedLoader());
      return {
        files: [
          { name: `${FOLDER}/model.wasm`, content: plain.wasm, about: MODULE },
          { name: `${FOLDER}/model.relaxed.wasm`, content: fused.wasm, about: RELAXED },
          { name: `${FOLDER}/model.mjs`, content: loader, about: SCRIPT },
        ],
        figures: {
          bytes: plain.wasm.length,
          relaxedBytes: fused.wasm.length,
          loaderBytes: loader.length,
          arenaBytes: plain.description.arena.bytes,
        },
        fits: true,
        lines: [
          [
            FOLDER,
            `${FOLDER}/model.wasm, ${formatSize(plain.wasm.length)}; model.relaxed.wasm, ${formatSize(fused.wasm.length)}; model.mjs`,
          ],
        ],
      };
    },
  },
};
