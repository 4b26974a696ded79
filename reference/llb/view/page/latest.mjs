// One job at a time, and of those that wait only the last.

/** Of the jobs that are asked for while one runs, only the last runs after it; `data-state` says when it is done. */
export class Latest {
  #element;
  #next;
  #isRunning = false;

  constructor(element) {
    this.#element = element;
    element.dataset.state = "idle";
  }

  async ask(job) {
    this.#next = job;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#element.dataset.state = "busy";
    try {
      while (this.#next !== undefined) {
        const current = this.#next;
        this.#next = undefined;
        await current();
        // Between two jobs the browser draws, and hears the pointer.
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    } finally {
      this.#isRunning = false;
      this.#element.dataset.state = "idle";
    }
  }
}
