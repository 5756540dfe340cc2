/*
 * A plugin for QEMU (API version 1) that counts executed instructions exactly, by what they are executed for.
 *
 *   -plugin libcount.so,marks=FILE,out=FILE
 *
 * FILE of marks has lines `entry ADDRESS BUCKET` (a block that begins there starts work for a bucket), `range LOW HIGH
 * BUCKET` (so does every block in [LOW, HIGH)), and `outside LOW HIGH` (blocks that are counted apart and change
 * nothing: callbacks). All other blocks count for the bucket that is current. Out come lines `BUCKET COUNT`, and
 * `total COUNT` from counters that are added to at each instruction; the sum of the others must be the same.
 * The few declarations of QEMU's interface stand here because Debian's package has no header.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISIBLE __attribute__((visibility("default")))
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { INLINE_ADD = 0, NO_REGISTERS = 0 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);

VISIBLE int qemu_plugin_version = 1;

#define MOST_MARKS 65536
#define MOST_BUCKETS 65536
enum { INHERIT = -1, OUTSIDE = -2 };

struct mark { uint64_t low, high; int bucket; };
struct block { uint64_t instructions; int bucket; };

static struct mark marks[MOST_MARKS];
static size_t mark_count;
static uint64_t buckets[MOST_BUCKETS], outside, total;
static int current = INHERIT;
static char out[1024] = "counts.txt";

static int bucket_at(uint64_t address) {
  for (size_t i = 0; i < mark_count; i++)
    if (address >= marks[i].low && address < marks[i].high) return marks[i].bucket;
  return INHERIT;
}

static void executed(unsigned cpu, void *user) {
  const struct block *block = user;
  (void)cpu;
  if (block->bucket >= 0) current = block->bucket;
  if (block->bucket == OUTSIDE || current < 0) outside += block->instructions;
  else buckets[current] += block->instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  /* Kept for good: QEMU may still run the block when it is translated anew. */
  struct block *block = malloc(sizeof *block);
  (void)id;
  block->instructions = qemu_plugin_tb_n_insns(tb);
  block->bucket = bucket_at(qemu_plugin_tb_vaddr(tb));
  for (size_t i = 0; i < block->instructions; i++)
    qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(tb, i), INLINE_ADD, &total, 1);
  qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, NO_REGISTERS, block);
}

static void finished(qemu_plugin_id_t id, void *user) {
  FILE *f = fopen(out, "w");
  (void)id;
  (void)user;
  if (!f) return;
  for (size_t i = 0; i < MOST_BUCKETS; i++)
    if (buckets[i]) fprintf(f, "%zu %llu\n", i, (unsigned long long)buckets[i]);
  fprintf(f, "outside %llu\ntotal %llu\n", (unsigned long long)outside, (unsigned long long)total);
  fclose(f);
}

static int read_marks(const char *name) {
  FILE *f = fopen(name, "r");
  char line[128];
  if (!f) return 0;
  while (fgets(line, sizeof line, f) && mark_count < MOST_MARKS) {
    unsigned long long low, high;
    int bucket;
    struct mark *m = &marks[mark_count];
    if (sscanf(line, "entry %llx %d", &low, &bucket) == 2) *m = (struct mark){ low, low + 1, bucket };
    else if (sscanf(line, "range %llx %llx %d", &low, &high, &bucket) == 3) *m = (struct mark){ low, high, bucket };
    else if (sscanf(line, "outside %llx %llx", &low, &high) == 2) *m = (struct mark){ low, high, OUTSIDE };
    else continue;
    mark_count++;
  }
  fclose(f);
  return 1;
}

VISIBLE int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; i++) {
    if (!strncmp(argv[i], "out=", 4)) snprintf(out, sizeof out, "%s", argv[i] + 4);
    if (!strncmp(argv[i], "marks=", 6) && !read_marks(argv[i] + 6)) return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finished, NULL);
  return 0;
}
