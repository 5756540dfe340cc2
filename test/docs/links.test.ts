/** Pages name files and commands that exist. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...fs
    .readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Link targets beside web addresses and places within a page. */
function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((m) => m[1].replace(/#.*$/, ''))
    .filter((to) => to !== '' && !/^[a-z]+:/.test(to));
}

/** Paths from the root of the checkout, as they stand in prose and code. */
function pathsIn(text: string): string[] {
  return [
    ...text.matchAll(/(?<![\w./-])(?:src|test|bench|scripts|schema|docs)\/[\w./-]*[\w/](?![\w*{<])/g),
  ].map((m) => m[0]);
}

test.each(pages)('%s', (page) => {
  const text = fs.readFileSync(path.join(root, page), 'utf8');
  const links = linksIn(text).map((to) => path.join(root, path.dirname(page), to));
  const named = pathsIn(text).map((to) => path.join(root, to));
  const missing = [...links, ...named].filter((file) => !fs.existsSync(file));
  expect(missing.map((file) => path.relative(root, file))).toEqual([]);
});

test('npm scripts that pages name exist', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const page of pages) {
    const text = fs.readFileSync(path.join(root, page), 'utf8');
    for (const [, name] of text.matchAll(/npm run ([\w:-]+)/g)) expect(scripts, page).toHaveProperty([name]);
  }
});
