import { Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { RegistryError } from './errors.ts';
import { wantedPause } from './pause.ts';
import { type Answer, hostFor, type RegistryRequest, type Send } from './request.ts';
import type { HostSettings } from './settings.ts';
import { Turns } from './turns.ts';

/** A request does not wait for a pause longer than this: whoever asked comes again. */
const LONGEST_WAIT_MS = 10_000;
/** Where a host refuses and does not say for how long: doubled each time. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** By which share a pause is drawn out at random, so that not all that wait return at once. */
const JITTER = 0.2;

/** What one host may be asked, and what it has told of itself. */
export class HostBudget {
  readonly #clock: Clock;
  readonly #breaker = new Breaker();
  readonly #turns: Turns;
  #refusals = 0;
  #pausedUntil = 0;
  #lastFailure = '';

  /** @param settings is asked at every turn, as settings may change */
  constructor(settings: () => HostSettings, clock: Clock) {
    this.#clock = clock;
    this.#turns = new Turns(settings, clock);
  }

  /** Sends a request when its turn has come. */
  async spend(request: RegistryRequest, send: Send): Promise<Answer> {
    this.#refuse(request);
    await this.#turns.take(request.access.signal);
    try {
      await this.#begin(request);
    } catch (error) {
      this.#turns.giveBackUnused();
      throw error;
    }
    try {
      return await this.#observed(request, send);
    } finally {
      this.#turns.giveBack();
    }
  }

  /** Sits out a pause. Nothing is awaited between the last look and the beginning, or several would be let in to try a host that is down. */
  async #begin(request: RegistryRequest): Promise<void> {
    for (;;) {
      this.#refuse(request);
      const wait = this.#pausedUntil - this.#clock.now();
      if (wait <= 0) return this.#breaker.begin();
      await this.#clock.sleep(wait * (1 + JITTER * this.#clock.random()), request.access.signal);
    }
  }

  /** Throws where a request would wait for long. */
  #refuse({ url, repository }: RegistryRequest): void {
    const now = this.#clock.now();
    const name = hostFor(url, repository);
    const wait = this.#pausedUntil - now;
    if (wait > LONGEST_WAIT_MS) {
      const message = `${name} asked not to be asked again before ${timeText(this.#pausedUntil)}; logging in or a longer interval helps`;
      throw new RegistryError('RateLimited', message, { retryAfterMs: wait });
    }
    const down = this.#breaker.closedTo(now);
    if (down !== undefined) {
      const message = `${name} fails since ${timeText(down.since)}, and is not asked again before ${timeText(now + down.waitMs)}; the last was: ${this.#lastFailure}`;
      throw new RegistryError('Unreachable', message, { retryAfterMs: down.waitMs });
    }
  }

  async #observed(request: RegistryRequest, send: Send): Promise<Answer> {
    try {
      const answer = await send(request);
      this.#learn(answer, request);
      return answer;
    } catch (error) {
      if (request.access.signal?.aborted) this.#breaker.release();
      else if (isDown(error)) this.#fail(request, error.message);
      else this.#breaker.succeed();
      throw error;
    }
  }

  #fail({ repository }: RegistryRequest, what: string): void {
    this.#lastFailure = what;
    this.#breaker.fail(repository.name, this.#clock.now());
  }

  #learn(answer: Answer, request: RegistryRequest): void {
    const now = this.#clock.now();
    if (answer.status >= 500) this.#fail(request, `status ${answer.status}`);
    else this.#breaker.succeed();
    this.#refusals = answer.status === 429 ? this.#refusals + 1 : 0;
    const pause = wantedPause(answer, now) ?? this.#ownPause();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
  }

  #ownPause(): number {
    return this.#refusals === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (this.#refusals - 1), LONGEST_PAUSE_MS);
  }
}

function isDown(error: unknown): error is RegistryError {
  return error instanceof RegistryError && (error.code === 'Unreachable' || error.code === 'Timeout');
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
