/** `tidemark board`, and `--board` of `check`, from the command line. */
import { describe, expect, test } from 'vitest';
import { missingTools } from '../../src/cli/board/toolchain.ts';
import { tidemark, tidemarkJson } from './tidemark.ts';

const missing = missingTools();

test.each([
  [['board', 'zoo:resnet8'], "required option '--board <name>' not specified"],
  [
    ['board', 'zoo:resnet8', '--board', 'abacus'],
    '--board abacus: there is no such board; expected one of stm32f405,',
  ],
  [['board', 'zoo:resnet8', '--board', 'esp32-c3'], 'ESP32-C3 (DevKitM-1) (risc-v) has no emulated machine'],
  [['check', 'zoo:resnet8', '--board', 'stm32f100', '--reserve', '64K'], 'STM32F100RB has 8192 bytes of RAM'],
  [
    ['board', 'zoo:resnet8', '--board', 'stm32f405', '--plan', 'plan.json', '--ram', '8K'],
    '--ram is for a plan made now and --plan names one: give one of them',
  ],
])('%j is refused', (args, line) => {
  const { status, stderr } = tidemark(args);
  expect(status).toBe(2);
  expect(stderr).toContain(line);
});

test('check --board wants the arena in RAM and the constants in flash', () => {
  const no = tidemarkJson(['check', 'zoo:mobilenetv1-0.25-96', '--dtype', 'int8', '--board', 'stm32f103rb'], {
    status: 1,
  });
  expect(no).toMatchObject({ fits: false, ramBudgetBytes: 19456 });
  expect(no.board).toMatchObject({
    ramBytes: 20480,
    flashBytes: 131072,
    reservedBytes: 1024,
    flashFits: false,
  });
});

describe.skipIf(missing !== undefined)(`with an emulator${missing ? ` (skipped: ${missing})` : ''}`, () => {
  test('board prints what was measured', () => {
    const d = tidemarkJson([
      'board',
      'zoo:ds-cnn',
      '--dtype',
      'int8',
      '--board',
      'microbit',
      '--input',
      'streamed',
    ]);
    expect(d).toMatchObject({ board: 'nrf51822', machine: 'microbit', fits: true, equal: true });
    expect(d.touchedBytes).toBe(d.arenaBytes);
    expect(d.stackBytes).toBeLessThanOrEqual(d.stackBoundBytes);
    expect(d.ramBytes).toBe(d.arenaBytes + d.dataBytes + d.stackBoundBytes);
    expect(d.ramBytes).toBeLessThan(16384);
    expect(d.operators.map((o: { name: string }) => o.name)).toContain('conv1');
    expect(d.outputs).toHaveLength(1);
  });

  test('a budget that no plan keeps is a no, though the part would do', () => {
    const args = ['board', 'zoo:ds-cnn', '--dtype', 'int8', '--board', 'stm32f405', '--ram', '1K'];
    const { status, stdout } = tidemark(args);
    expect(status).toBe(1);
    expect(stdout).toMatch(/emulated by netduinoplus2: does not fit --ram 1K\n/);
    expect(stdout).not.toContain('instructions');
  });

  test('a part that is too small is a no', () => {
    const d = tidemarkJson(['board', 'zoo:resnet8', '--dtype', 'int8', '--board', 'stm32f100'], {
      status: 1,
    });
    expect(d.fits).toBe(false);
    expect(d.instructions).toBeUndefined();
  });
});
