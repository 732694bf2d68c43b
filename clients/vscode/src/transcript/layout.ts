/** Where entries of a long list stand, while the heights of few are known. Pure. */

/** Pixels that an entry is taken to have while none was measured. */
const GUESS = 48;

/** Heights and offsets of entries, in pixels. Unknown heights are the mean of those that are known. */
export class Layout {
  private heights = new Float64Array(0);
  private offsets = new Float64Array(1);
  private valid = false;
  private known = 0;
  private sum = 0;

  get count(): number {
    return this.heights.length;
  }

  /** Height of all. */
  get height(): number {
    return this.offset(this.count);
  }

  /** There are now so many; what is known of those before stays. */
  resize(count: number): void {
    const heights = new Float64Array(count);
    heights.set(this.heights.subarray(0, count));
    this.heights = heights;
    this.recount();
  }

  /** An entry was measured; true where that changes something. */
  measured(index: number, height: number): boolean {
    const before = this.heights[index];
    if (before === undefined || Math.abs(before - height) < 0.5) return false;
    this.known += before === 0 ? 1 : 0;
    this.sum += height - before;
    this.heights[index] = height;
    this.valid = false;
    return true;
  }

  /** All are to be measured anew, as their width changed. */
  forget(): void {
    this.heights.fill(0);
    this.recount();
  }

  /** Top of an entry; of the number of entries, the end. */
  offset(index: number): number {
    if (!this.valid) this.place();
    return this.offsets[Math.max(0, Math.min(index, this.count))] ?? 0;
  }

  /** The entry at a height; the last where there is none. */
  at(y: number): number {
    let low = 0;
    let high = Math.max(0, this.count - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offset(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private place(): void {
    const guess = this.known > 0 ? this.sum / this.known : GUESS;
    if (this.offsets.length !== this.count + 1) this.offsets = new Float64Array(this.count + 1);
    let top = 0;
    this.heights.forEach((height, index) => {
      this.offsets[index] = top;
      top += height || guess;
    });
    this.offsets[this.count] = top;
    this.valid = true;
  }

  private recount(): void {
    this.known = this.heights.reduce((known, height) => known + (height > 0 ? 1 : 0), 0);
    this.sum = this.heights.reduce((sum, height) => sum + height, 0);
    this.valid = false;
  }
}
