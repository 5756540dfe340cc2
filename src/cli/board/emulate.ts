/** Runs a firmware image on an emulated board and reads what it leaves behind. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type Counts, readCounts } from '../../boards/marks.ts';
import {
  type Attempt,
  controlBytes,
  EXIT_CODES,
  type Fault,
  type FirmwareReport,
  readFault,
  readReport,
} from '../../boards/report.ts';
import { TidemarkError } from '../../errors.ts';
import type { TypedArray } from '../../graph/graph.ts';
import type { Firmware } from './firmware.ts';
import { EMULATOR } from './toolchain.ts';

export interface EmulatedRun {
  readonly exitCode: number;
  readonly report?: FirmwareReport;
  readonly fault?: Fault;
  /** Bytes of each output, in the graph's layout. */
  readonly outputs: readonly Uint8Array[];
  readonly arena: Uint8Array;
  readonly counts?: Counts;
}

export interface EmulateOptions {
  /** Byte that the arena holds before the run. */
  readonly paint?: number;
  readonly attempt?: Attempt;
  /** Left out: 300. */
  readonly timeoutSeconds?: number;
}

const LEFT_BEHIND = ['report.bin', 'fault.bin', 'arena.bin', 'counts.txt'];

export function emulate(
  firmware: Firmware,
  inputs: readonly TypedArray[],
  { paint = 0xa5, attempt = { kind: 'none' }, timeoutSeconds = 300 }: EmulateOptions = {},
): EmulatedRun {
  const { folder, program, layout } = firmware;
  const at = (name: string) => path.join(folder, name);
  const outputFiles = program.outputs.map((_, i) => `output${i}.bin`);
  for (const name of [...LEFT_BEHIND, ...outputFiles]) fs.rmSync(at(name), { force: true });
  fs.writeFileSync(at('control.bin'), controlBytes(paint, attempt));
  inputs.forEach((values, i) => {
    fs.writeFileSync(
      at(`input${i}.bin`),
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
  });
  const result = spawnSync(
    EMULATOR,
    [
      ...['-M', layout.machine.qemu, '-display', 'none', '-monitor', 'none', '-serial', 'none'],
      ...['-semihosting-config', 'enable=on,target=native'],
      ...['-plugin', './libcount.so,marks=marks.txt,out=counts.txt'],
      ...['-kernel', 'firmware.elf'],
    ],
    { cwd: folder, encoding: 'utf8', timeout: timeoutSeconds * 1000, killSignal: 'SIGKILL' },
  );
  if (result.error || result.status === null) {
    const why = result.signal === 'SIGKILL' ? `no end within ${timeoutSeconds} s` : String(result.error);
    throw new TidemarkError('internal', `${EMULATOR} -M ${layout.machine.qemu}: ${why}`);
  }
  const read = (name: string) =>
    fs.existsSync(at(name)) ? new Uint8Array(fs.readFileSync(at(name))) : new Uint8Array();
  const faulted = result.status === EXIT_CODES.fault;
  if (result.status === EXIT_CODES.again)
    throw new TidemarkError('internal', 'the firmware asked for a line of the input a second time');
  if (!faulted && result.status !== EXIT_CODES.ok && result.status !== EXIT_CODES.slack)
    throw new TidemarkError(
      'internal',
      `${EMULATOR} -M ${layout.machine.qemu} ended with ${result.status}: ${result.stderr.split('\n')[0]}`,
    );
  return {
    exitCode: result.status,
    report: readReport(read('report.bin')),
    fault: faulted ? readFault(read('fault.bin')) : undefined,
    outputs: outputFiles.map(read),
    arena: read('arena.bin'),
    counts: readCounts(Buffer.from(read('counts.txt')).toString(), program.actors),
  };
}
