/* What the firmware's files share, and what the linker script defines. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

extern uint32_t __stack_lo[], __stack_hi[], __data_lo[], __data_hi[], __data_load[], __bss_lo[], __bss_hi[];
extern uint8_t __arena_lo[], __arena_hi[], __ram_hi[], __flash_lo[], __flash_hi[];

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define STACK_PAINT 0xa5c3a5c3u

#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
#define BOARD_V8M 1
#endif
/* Processors without a memory protection unit, as QEMU models them. */
#if defined(__ARM_ARCH_6M__)
#define BOARD_NO_MPU 1
#endif

/* Exit codes; src/boards/report.ts knows them. */
enum { EXIT_OK = 0, EXIT_FILE = 90, EXIT_AGAIN = 91, EXIT_SLACK = 98, EXIT_FAULT = 99 };

void guard_on(void);
void guard_off(void);
uint32_t board_main(void);

#endif
