/**
 * Parts: flash, RAM, and where the figures are published. Most come from PlatformIO's board definitions, files that
 * anyone can open (`maximum_size`, `maximum_ram_size`); where RAM is in several pieces the largest counts, as an arena
 * is one array. The boards of Arm's FPGA images have the sizes that QEMU gives them.
 */

export type Core =
  | 'cortex-m0'
  | 'cortex-m0+'
  | 'cortex-m3'
  | 'cortex-m4'
  | 'cortex-m7'
  | 'cortex-m33'
  | 'cortex-m55'
  | 'risc-v';

export interface Part {
  /** As `--board` takes it. */
  readonly name: string;
  /** Other names that it goes by. */
  readonly aliases?: readonly string[];
  /** As its maker writes it. */
  readonly title: string;
  readonly core: Core;
  readonly flashBytes: number;
  /** The largest run of RAM in one piece. */
  readonly ramBytes: number;
  readonly source: string;
  /** What else there is to know. */
  readonly note?: string;
}

const KB = 1024;

/** The file of PlatformIO that has a board's sizes. */
const platformio = (platform: string, board: string, datasheet?: string) =>
  `github.com/platformio/platform-${platform} boards/${board}.json${datasheet ? `; ${datasheet}` : ''}`;

export const parts: readonly Part[] = [
  {
    name: 'stm32f405',
    aliases: ['netduinoplus2'],
    title: 'STM32F405RG',
    core: 'cortex-m4',
    flashBytes: 1024 * KB,
    ramBytes: 128 * KB,
    source: platformio('ststm32', 'genericSTM32F405RG', 'ST DS8626'),
    note: '64 KB more, core-coupled, lie elsewhere',
  },
  {
    name: 'stm32f401cc',
    title: 'STM32F401CC',
    core: 'cortex-m4',
    flashBytes: 256 * KB,
    ramBytes: 64 * KB,
    source: platformio('ststm32', 'blackpill_f401cc', 'ST DS9716'),
  },
  {
    name: 'stm32f401re',
    title: 'STM32F401RE',
    core: 'cortex-m4',
    flashBytes: 512 * KB,
    ramBytes: 96 * KB,
    source: platformio('ststm32', 'nucleo_f401re', 'ST DS10086'),
  },
  {
    name: 'stm32f411',
    title: 'STM32F411CE',
    core: 'cortex-m4',
    flashBytes: 512 * KB,
    ramBytes: 128 * KB,
    source: platformio('ststm32', 'blackpill_f411ce', 'ST DS10314'),
  },
  {
    name: 'stm32f446',
    title: 'STM32F446RE',
    core: 'cortex-m4',
    flashBytes: 512 * KB,
    ramBytes: 128 * KB,
    source: platformio('ststm32', 'nucleo_f446re', 'ST DS10693'),
  },
  {
    name: 'stm32l432',
    title: 'STM32L432KC',
    core: 'cortex-m4',
    flashBytes: 256 * KB,
    ramBytes: 64 * KB,
    source: platformio('ststm32', 'nucleo_l432kc', 'ST DS11451'),
  },
  {
    name: 'stm32l476',
    title: 'STM32L476RG',
    core: 'cortex-m4',
    flashBytes: 1024 * KB,
    ramBytes: 96 * KB,
    source: platformio('ststm32', 'nucleo_l476rg', 'ST DS10198'),
    note: '32 KB more, SRAM2, lie elsewhere: PlatformIO counts both',
  },
  {
    name: 'stm32f100',
    title: 'STM32F100RB',
    core: 'cortex-m3',
    flashBytes: 128 * KB,
    ramBytes: 8 * KB,
    source: platformio('ststm32', 'disco_f100rb', 'ST DS5944'),
  },
  {
    name: 'stm32f103rb',
    title: 'STM32F103RB',
    core: 'cortex-m3',
    flashBytes: 128 * KB,
    ramBytes: 20 * KB,
    source: platformio('ststm32', 'nucleo_f103rb', 'ST DS5319'),
  },
  {
    name: 'stm32f103re',
    title: 'STM32F103RE',
    core: 'cortex-m3',
    flashBytes: 512 * KB,
    ramBytes: 64 * KB,
    source: platformio('ststm32', 'genericSTM32F103RE', 'ST DS5792'),
  },
  {
    name: 'stm32g071',
    title: 'STM32G071RB',
    core: 'cortex-m0+',
    flashBytes: 128 * KB,
    ramBytes: 36 * KB,
    source: platformio('ststm32', 'nucleo_g071rb', 'ST DS12232'),
  },
  {
    name: 'stm32f746',
    title: 'STM32F746ZG',
    core: 'cortex-m7',
    flashBytes: 1024 * KB,
    ramBytes: 320 * KB,
    source: platformio('ststm32', 'nucleo_f746zg', 'ST DS10916'),
  },
  {
    name: 'stm32f767',
    title: 'STM32F767ZI',
    core: 'cortex-m7',
    flashBytes: 2048 * KB,
    ramBytes: 512 * KB,
    source: platformio('ststm32', 'nucleo_f767zi', 'ST DS11532'),
  },
  {
    name: 'stm32h743',
    title: 'STM32H743ZI',
    core: 'cortex-m7',
    flashBytes: 2048 * KB,
    ramBytes: 512 * KB,
    source: platformio('ststm32', 'nucleo_h743zi', 'ST DS12110'),
    note: 'the AXI SRAM; 512 KB more lie in other blocks',
  },
  {
    name: 'stm32u585',
    title: 'STM32U585AI',
    core: 'cortex-m33',
    flashBytes: 2048 * KB,
    ramBytes: 256 * KB,
    source: platformio('ststm32', 'disco_b_u585i_iot02a', 'ST DS13086'),
    note: "PlatformIO's figure; the datasheet has 768 KB in one piece and 16 KB more",
  },
  {
    name: 'nrf51822',
    aliases: ['microbit'],
    title: 'nRF51822 (micro:bit)',
    core: 'cortex-m0',
    flashBytes: 256 * KB,
    ramBytes: 16 * KB,
    source: platformio('nordicnrf51', 'bbcmicrobit'),
  },
  {
    name: 'nrf52832',
    title: 'nRF52832',
    core: 'cortex-m4',
    flashBytes: 512 * KB,
    ramBytes: 64 * KB,
    source: platformio('nordicnrf52', 'nrf52_dk'),
  },
  {
    name: 'nrf52840',
    title: 'nRF52840',
    core: 'cortex-m4',
    flashBytes: 1024 * KB,
    ramBytes: 256 * KB,
    source: platformio('nordicnrf52', 'nrf52840_dk'),
  },
  {
    name: 'lpc1768',
    title: 'LPC1768',
    core: 'cortex-m3',
    flashBytes: 512 * KB,
    ramBytes: 32 * KB,
    source: platformio('nxplpc', 'lpc1768', 'NXP LPC1769_68_67_66_65_64_63 data sheet'),
    note: '32 KB more lie elsewhere, in two blocks: PlatformIO counts all',
  },
  {
    name: 'mk64f',
    title: 'MK64FN1M0VLL12 (FRDM-K64F)',
    core: 'cortex-m4',
    flashBytes: 1024 * KB,
    ramBytes: 256 * KB,
    source: platformio('freescalekinetis', 'frdm_k64f'),
  },
  {
    name: 'imxrt1062',
    title: 'i.MX RT1062 (Teensy 4.0)',
    core: 'cortex-m7',
    flashBytes: 1984 * KB,
    ramBytes: 512 * KB,
    source: platformio('teensy', 'teensy40'),
    note: 'flash is a chip beside it; 512 KB more are on-chip RAM elsewhere',
  },
  {
    name: 'samd21',
    title: 'ATSAMD21G18A (Arduino Zero)',
    core: 'cortex-m0+',
    flashBytes: 256 * KB,
    ramBytes: 32 * KB,
    source: platformio('atmelsam', 'zeroUSB'),
  },
  {
    name: 'samd51',
    title: 'ATSAMD51J19A (Feather M4)',
    core: 'cortex-m4',
    flashBytes: 496 * KB,
    ramBytes: 192 * KB,
    source: platformio('atmelsam', 'adafruit_feather_m4'),
    note: 'flash less the 16 KB of its boot loader',
  },
  {
    name: 'rp2040',
    title: 'RP2040 (Raspberry Pi Pico)',
    core: 'cortex-m0+',
    flashBytes: 2048 * KB,
    ramBytes: 264 * KB,
    source: platformio('raspberrypi', 'pico'),
    note: 'flash is a chip beside it',
  },
  {
    name: 'esp32-c3',
    title: 'ESP32-C3 (DevKitM-1)',
    core: 'risc-v',
    flashBytes: 4096 * KB,
    ramBytes: 320 * KB,
    source: platformio('espressif32', 'esp32-c3-devkitm-1'),
    note: 'flash is a chip beside it',
  },
  {
    name: 'mps2-an500',
    title: 'Arm MPS2+ with AN500',
    core: 'cortex-m7',
    flashBytes: 4096 * KB,
    ramBytes: 4096 * KB,
    source: 'qemu-system-arm 7.2 -M mps2-an500, info mtree -f',
  },
  {
    name: 'mps2-an505',
    title: 'Arm MPS2+ with AN505',
    core: 'cortex-m33',
    flashBytes: 4096 * KB,
    ramBytes: 4096 * KB,
    source: 'qemu-system-arm 7.2 -M mps2-an505, info mtree -f',
  },
  {
    name: 'mps3-an547',
    title: 'Arm MPS3 with AN547',
    core: 'cortex-m55',
    flashBytes: 512 * KB,
    ramBytes: 512 * KB,
    source: 'qemu-system-arm 7.2 -M mps3-an547, info mtree -f',
    note: 'the tightly coupled memories; 4 MB more lie elsewhere',
  },
];

export function partOf(name: string): Part | undefined {
  const wanted = name.toLowerCase();
  return parts.find((p) => p.name === wanted || p.aliases?.includes(wanted));
}
