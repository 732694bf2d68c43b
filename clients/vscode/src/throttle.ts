/** Work that many events ask for is done soon, never twice at once, and no more often than is allowed. */

/** Milliseconds from the first call until `work` runs, and at least so many from its end to its next run. */
export interface Pace {
  soon: number;
  rest: number;
}

/** Calls `work` after `ask`; events while it runs lead to one more run. What `work` rejects with goes to `failed`. */
export class Throttle {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private asked = false;
  private ended = -Infinity;
  private disposed = false;

  constructor(
    private readonly pace: Pace,
    private readonly work: () => Promise<void> | void,
    private readonly failed: (error: unknown) => void = () => undefined,
  ) {}

  ask(): void {
    this.asked = true;
    if (this.timer === undefined && !this.running && !this.disposed) this.plan();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    const wait = Math.max(this.pace.soon, this.ended + this.pace.rest - performance.now());
    this.timer = setTimeout(() => void this.run(), wait);
  }

  private async run(): Promise<void> {
    this.timer = undefined;
    this.asked = false;
    this.running = true;
    try {
      await this.work();
    } catch (error) {
      this.failed(error);
    }
    this.running = false;
    this.ended = performance.now();
    if (this.asked && !this.disposed) this.plan();
  }
}
