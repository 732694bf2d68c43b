/** The last of several questions: who types on has no use for an answer to what was typed before. */

/** Runs `work` for what was asked last, `soon` milliseconds after it was asked; `stop` ends the one that runs. */
export class Latest<Q> {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: AbortController | undefined;

  constructor(
    private readonly soon: number,
    private readonly work: (question: Q, signal: AbortSignal) => Promise<void>,
  ) {}

  /** Answer this and nothing that was asked before; at once where nobody is typing. */
  ask(question: Q, soon: number = this.soon): void {
    this.stop();
    this.timer = setTimeout(() => {
      this.running = new AbortController();
      void this.work(question, this.running.signal);
    }, soon);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = undefined;
  }
}
