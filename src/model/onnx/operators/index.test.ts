import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { supportedOnnxOperators } from './index.ts';

it('docs/onnx.md lists what is supported', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/onnx.md'), 'utf8');
  const listed = page.slice(page.indexOf('## Operators')).match(/`[^`]+`/g) ?? [];
  expect(listed.map((name) => name.slice(1, -1))).toEqual(supportedOnnxOperators());
});
