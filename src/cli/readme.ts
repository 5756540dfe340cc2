/** README.txt of a folder that `fit` wrote: what each file is, and how to use it. */
import { programVersion } from './version.ts';

const PLAN =
  'The plan: what fires when, and where every byte lies. tidemark run and verify take it with --plan, beside the model it is for.';
const REPORT = 'Memory before and after, and where every byte lives and when. Open it in a browser.';

const WIDTH = 100;

export function readmeOf(
  model: string,
  made: readonly { readonly name: string; readonly about: string }[],
): string {
  const files = [{ name: 'plan.json', about: PLAN }, { name: 'report.html', about: REPORT }, ...made];
  const indent = 2 + Math.max(...files.map(({ name }) => name.length));
  const entries = files.map(({ name, about }) => entry(name, about, indent));
  return [`Made by tidemark ${programVersion()} from ${model}.`, '', ...entries, ''].join('\n');
}

/** The name, and beside it the text in lines of even width. */
function entry(name: string, about: string, indent: number): string {
  const lines = [''];
  for (const word of about.split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last !== '' && indent + last.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return `${name.padEnd(indent)}${lines.join(`\n${' '.repeat(indent)}`)}`;
}
