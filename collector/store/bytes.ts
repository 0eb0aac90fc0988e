/** Text in UTF-8, put together piece by piece in one buffer that grows: strings of so many pieces would be most of what is left to collect. */
export class Bytes {
  #buffer: Buffer;
  #length = 0;

  constructor(firstBytes: number) {
    this.#buffer = Buffer.allocUnsafe(firstBytes);
  }

  get length(): number {
    return this.#length;
  }

  text(text: string): void {
    // In UTF-8 a code unit takes three bytes at most.
    const buffer = this.#with(3 * text.length);
    let end = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#length += buffer.write(text, this.#length);
        return;
      }
      buffer[end++] = code;
    }
    this.#length = end;
  }

  /** As `String` writes it. */
  number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) this.#integer(value);
    else this.text(String(value));
  }

  /** One character of ASCII. */
  code(code: number): void {
    this.#with(1)[this.#length++] = code;
  }

  /** A part of it, without a copy: it holds until more is put in. */
  slice(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }

  #integer(value: number): void {
    if (value < 0) this.code(0x2d);
    let rest = Math.abs(value);
    let digits = 1;
    for (let limit = 10; rest >= limit; limit *= 10) digits++;
    const buffer = this.#with(digits);
    for (let i = this.#length + digits - 1; i >= this.#length; i--) {
      buffer[i] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#length += digits;
  }

  /** The buffer with room for so many bytes more. */
  #with(more: number): Buffer {
    const least = this.#length + more;
    if (least > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(least, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}
