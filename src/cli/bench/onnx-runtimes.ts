/** ONNX Runtime, native and in WebAssembly, as something to compare with: one thread, all its optimisations on. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { TidemarkError } from '../../errors.ts';
import type { Runner } from './runner.ts';

export type OnnxRuntimeName = 'ort' | 'ort-web';

/** The part of both packages that is used here. */
interface Runtime {
  readonly env: { wasm: { numThreads: number; wasmPaths: string }; logLevel: string };
  readonly Tensor: new (
    type: string,
    data: unknown,
    dims: readonly number[],
  ) => { getData(): Promise<unknown> };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
}

interface Session {
  readonly inputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { getData(): Promise<unknown> }>>;
}

const PACKAGES: Readonly<Record<OnnxRuntimeName, string>> = {
  ort: 'onnxruntime-node',
  'ort-web': 'onnxruntime-web',
};

async function load(name: OnnxRuntimeName): Promise<Runtime> {
  const require = createRequire(import.meta.url);
  try {
    // Held in variables so that the compiler does not need the packages.
    if (name === 'ort') return require(PACKAGES.ort) as Runtime;
    const entry = require.resolve('onnxruntime-web/wasm');
    const module = await import(pathToFileURL(entry).href);
    const runtime: Runtime = module.default ?? module;
    runtime.env.wasm.numThreads = 1;
    runtime.env.wasm.wasmPaths = `${pathToFileURL(path.dirname(entry)).href}/`;
    return runtime;
  } catch (error) {
    throw new TidemarkError(
      'runtime-missing',
      `--against ${name} needs a package that is not installed: npm install ${PACKAGES[name]}`,
      { cause: error },
    );
  }
}

export interface Feed {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly data: unknown;
}

/** A session of a model in one of the runtimes. */
export async function onnxRunner(
  name: OnnxRuntimeName,
  model: Uint8Array,
  feeds: readonly Feed[],
): Promise<Runner> {
  const runtime = await load(name);
  try {
    const session = await runtime.InferenceSession.create(model, {
      graphOptimizationLevel: 'all',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 4,
      ...(name === 'ort-web' ? { executionProviders: ['wasm'] } : {}),
    });
    const given = Object.fromEntries(
      feeds
        .filter((f) => session.inputNames.includes(f.name))
        .map((f) => [f.name, new runtime.Tensor(f.type, f.data, f.shape)]),
    );
    await session.run(given);
    return {
      runtime: name,
      plan: null,
      arenaBytes: null,
      async time(times) {
        const out: number[] = [];
        for (let i = 0; i < times; i++) {
          const started = performance.now();
          await session.run(given);
          out.push(performance.now() - started);
        }
        return out;
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TidemarkError('runtime-missing', `${name} does not run the model (${why})`, { cause: error });
  }
}
