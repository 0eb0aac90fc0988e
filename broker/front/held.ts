/** The bytes of a frame that has not wholly come, or that are not to be looked at yet. Its room doubles as it grows, so a frame that comes byte by byte is not copied for each. */
export class Held {
  #room: Buffer;
  #length: number;

  constructor(bytes: Uint8Array) {
    this.#room = Buffer.allocUnsafeSlow(bytes.length);
    this.#room.set(bytes);
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  /** All bytes so far, with these at their end. They are overwritten by nothing until this is dropped. */
  with(bytes: Uint8Array): Buffer {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#room.length));
      this.#room.copy(larger, 0, 0, this.#length);
      this.#room = larger;
    }
    this.#room.set(bytes, this.#length);
    this.#length = length;
    return this.#room.subarray(0, length);
  }
}
