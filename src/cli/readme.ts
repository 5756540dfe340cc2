/** README.txt of a folder that `fit` wrote: what each file is, and how to use it. */
import { programVersion } from './version.ts';

const PLAN =
  'The plan: what fires when, and where every byte lies. tidemark run and verify take it with --plan, beside the model it is for.';
const REPORT = 'Memory before and after, and where every byte lives and when. Open it in a browser.';

const WIDTH = 100;
const INDENT = 16;

export function readmeOf(
  model: string,
  made: readonly { readonly name: string; readonly about: string }[],
): string {
  const files = [{ name: 'plan.json', about: PLAN }, { name: 'report.html', about: REPORT }, ...made];
  return [`Made by tidemark ${programVersion()} from ${model}.`, '', ...files.map(entry), ''].join('\n');
}

/** The name, and beside it the text in lines of even width. */
function entry({ name, about }: { readonly name: string; readonly about: string }): string {
  const lines = [''];
  for (const word of about.split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last !== '' && INDENT + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  const gap = ' '.repeat(INDENT);
  const head = name.length < INDENT ? name.padEnd(INDENT) : `${name}\n${gap}`;
  return `${head}${lines.join(`\n${gap}`)}`;
}
