/** What runs in a browser: everything under src/ but the command line and what reads pictures or needs Node's ONNX Runtime. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const src = path.resolve(import.meta.dirname, '../../src');

/** Packages that run in browsers as they are. */
const PORTABLE = ['@bufbuild/protobuf', 'fflate', 'flatbuffers', 'zod'];

/** Decodes pictures with packages made for Node. ONNX Runtime's module loads its package by a name held back. */
const FOR_NODE = ['run/input/picture.ts'];

/** Compiles emitted C with the machine's own compiler and runs it. */
const ON_THIS_MACHINE = ['run/c-backend.ts'];

const files = fs
  .readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .filter((file) => !file.startsWith('cli/') && !file.split('/').includes('testing'));

/** What a module imports, types left out: they are gone when it runs. */
function importsOf(file: string): string[] {
  const text = fs.readFileSync(path.join(src, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s(?!type\s)[^;]*?from '([^']+)'|import\('([^']+)'\)/gm,
  );
  return [...statements].map((m) => m[1] ?? m[2]);
}

test('no Node modules outside the command line', () => {
  expect(files.length).toBeGreaterThan(100);
  const portable = files.filter((file) => !ON_THIS_MACHINE.includes(file));
  const offenders = portable.flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('node:'))
      .map((name) => `${file}: ${name}`),
  );
  expect(offenders).toEqual([]);
});

test('no package that needs Node, but where it is stated', () => {
  const offenders = files.flatMap((file) =>
    importsOf(file)
      .filter(
        (name) => !/^(\.|node:)/.test(name) && !PORTABLE.some((p) => name === p || name.startsWith(`${p}/`)),
      )
      .map(() => file),
  );
  expect([...new Set(offenders)].sort()).toEqual(FOR_NODE);
});

test('the library leads to nothing that needs Node', () => {
  const reached = new Set<string>(['index.ts']);
  for (const file of reached) {
    for (const name of importsOf(file)) {
      if (name.startsWith('.')) reached.add(path.posix.join(path.posix.dirname(file), name));
    }
  }
  expect(reached.size).toBeGreaterThan(100);
  expect(
    [...reached].filter(
      (file) =>
        file.startsWith('cli/') || [...FOR_NODE, ...ON_THIS_MACHINE, 'run/onnx-runtime.ts'].includes(file),
    ),
  ).toEqual([]);
});
