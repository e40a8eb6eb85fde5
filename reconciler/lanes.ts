/** Which lane, and how many keys of it may be at work at once. */
export interface LaneOf {
  readonly name: string;
  readonly width: number;
}

interface Lane extends LaneOf {
  readonly waiting: Set<string>;
  atWork: number;
}

/**
 * Keys that wait for a worker, in lanes. The lanes take turns and each has a few workers at most, so that what is slow in
 * one, such as a host that does not answer, holds up no other. A key is in it once at most, and is not begun while it is at work.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Map<string, Lane>();
  readonly #atWork = new Map<string, Lane>();

  /** How many keys wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** How many keys are at work. */
  get atWork(): number {
    return this.#atWork.size;
  }

  /** Puts a key at the end of a lane, unless it waits already. */
  add(key: string, { name, width }: LaneOf): void {
    if (this.#waiting.has(key)) return;
    const lane = this.#lanes.get(name) ?? { name, width, waiting: new Set<string>(), atWork: 0 };
    this.#lanes.set(name, lane);
    lane.waiting.add(key);
    this.#waiting.set(key, lane);
  }

  /** Takes a key out that waits. */
  remove(key: string): void {
    const lane = this.#waiting.get(key);
    if (lane === undefined) return;
    this.#waiting.delete(key);
    lane.waiting.delete(key);
    this.#dropIdle(lane);
  }

  /** Begins with the key whose turn it is. @returns undefined when there is none that may begin */
  begin(): string | undefined {
    for (const lane of this.#lanes.values()) {
      if (lane.atWork >= lane.width) continue;
      const key = lane.waiting.values().find((each) => !this.#atWork.has(each));
      if (key === undefined) continue;
      this.#move(key, lane);
      return key;
    }
    return undefined;
  }

  /** Ends the work on a key. */
  end(key: string): void {
    const lane = this.#atWork.get(key);
    if (lane === undefined) return;
    this.#atWork.delete(key);
    lane.atWork -= 1;
    this.#dropIdle(lane);
  }

  #move(key: string, lane: Lane): void {
    this.#waiting.delete(key);
    lane.waiting.delete(key);
    this.#atWork.set(key, lane);
    lane.atWork += 1;
    // At the end: the next turn is another lane's.
    this.#lanes.delete(lane.name);
    this.#lanes.set(lane.name, lane);
  }

  #dropIdle(lane: Lane): void {
    if (lane.waiting.size + lane.atWork === 0) this.#lanes.delete(lane.name);
  }
}
