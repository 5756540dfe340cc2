/** What `--backend` can name. A backend is an implementation of src/run/backend.ts and a line here; it is loaded when asked for. */
import type { Command } from 'commander';
import { TidemarkError } from '../errors.ts';
import type { Backend } from '../run/backend.ts';
import type { Watch } from '../run/c-watch.ts';
import { oneOf } from './options/values.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Backend>;
}

const entries: readonly Entry[] = [
  {
    name: 'reference',
    summary: 'plain kernels in JavaScript',
    load: async () => (await import('../run/backend.ts')).referenceBackend,
  },
  {
    name: 'wasm',
    summary: 'the module of fit --target wasm',
    load: async () => (await import('../run/wasm-backend.ts')).wasmBackend,
  },
  {
    name: 'wasm-relaxed',
    summary: 'the same with relaxed SIMD: products and sums of floats fused',
    load: async () => (await import('../run/wasm-backend.ts')).relaxedWasmBackend,
  },
  {
    name: 'c',
    summary: "the C of fit --target c, by this host's compiler",
    load: async () => (await import('../run/c-backend.ts')).cBackend,
  },
  {
    name: 'c-fast',
    summary: 'the same, with products and sums of floats fused',
    load: async () => (await import('../run/c-backend.ts')).fastCBackend,
  },
];

export const backendNames: readonly string[] = entries.map((e) => e.name);

export interface BackendOption {
  readonly backend: string;
}

export function withBackend(command: Command): Command {
  const choices = entries.map(({ name, summary }) => `${name} (${summary})`).join(', ');
  return command.option(
    '--backend <name>',
    `what computes: ${choices}`,
    oneOf('--backend', backendNames),
    'reference',
  );
}

/** The backend of a name that `withBackend` let through. */
export async function loadBackend(name: string): Promise<Backend> {
  return entries.find((e) => e.name === name)!.load();
}

/** A backend with every access of every firing watched, in one of the ways of src/run/c-watch.ts. */
export async function loadWatched(name: string, how: string): Promise<Backend> {
  if (name !== 'c')
    throw new TidemarkError('usage', `--sanitize watches compiled C: expected --backend c, got ${name}`);
  return (await import('../run/c-backend.ts')).watchedCBackend(how as Watch);
}
