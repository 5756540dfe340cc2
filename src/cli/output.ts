/** Where a command's answer goes: one JSON document, or text for people. Everything else is stderr's. */
/** Prints the document when `--json` was given, else the text. */
export function answer(json: boolean | undefined, document: unknown, text: () => string): void {
  const out = json ? `${JSON.stringify(document, null, 2)}\n` : `${text()}\n`;
  process.stdout.write(out);
}

/** A line for people about what is going on. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The answer is no: does not fit, does not verify. */
export function answerNo(): void {
  process.exitCode = 1;
}
