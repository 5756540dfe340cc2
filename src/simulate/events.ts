/** What happens when, in order of time; of two things at one time, what was set down first comes first. */

interface Event {
  readonly time: number;
  readonly order: number;
  readonly act: () => void;
}

export class Events {
  now = 0;
  #count = 0;
  /** A binary heap: no event is earlier than its parent. */
  readonly #heap: Event[] = [];

  at(time: number, act: () => void): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push({ time, order: this.#count++, act });
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i], heap[parent])) break;
      [heap[i], heap[parent]] = [heap[parent], heap[i]];
      i = parent;
    }
  }

  run(): void {
    for (let event = this.#pop(); event; event = this.#pop()) {
      this.now = event.time;
      event.act();
    }
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && before(heap[child], heap[least])) least = child;
      if (least === i) return first;
      [heap[i], heap[least]] = [heap[least], heap[i]];
      i = least;
    }
  }
}

function before(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
