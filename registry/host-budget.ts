import { Breaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { RegistryError } from './errors.ts';
import { wantedPause } from './pause.ts';
import type { Answer, RegistryRequest, Send } from './request.ts';
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
  readonly #host: string;
  readonly #clock: Clock;
  readonly #breaker = new Breaker();
  readonly #turns: Turns;
  #refusals = 0;
  #pausedUntil = 0;

  constructor(host: string, settings: () => HostSettings, clock: Clock) {
    this.#host = host;
    this.#clock = clock;
    this.#turns = new Turns(settings, clock);
  }

  /** Sends a request when its turn has come. */
  async spend(request: RegistryRequest, send: Send): Promise<Answer> {
    this.#refuse(request);
    await this.#turns.take(request.access.signal);
    try {
      await this.#waitOutPause(request);
      this.#breaker.begin();
      return await this.#observed(request, send);
    } finally {
      this.#turns.giveBack();
    }
  }

  async #waitOutPause(request: RegistryRequest): Promise<void> {
    for (;;) {
      this.#refuse(request);
      const wait = this.#pausedUntil - this.#clock.now();
      if (wait <= 0) return;
      await this.#clock.sleep(wait * (1 + JITTER * this.#clock.random()), request.access.signal);
    }
  }

  /** Throws where a request would wait for long. */
  #refuse({ repository }: RegistryRequest): void {
    const now = this.#clock.now();
    const name =
      this.#host === repository.origin.host
        ? repository.registry
        : `${this.#host} (for ${repository.registry})`;
    const wait = this.#pausedUntil - now;
    if (wait > LONGEST_WAIT_MS) {
      const message = `${name} asked not to be asked again before ${timeText(this.#pausedUntil)}; logging in or a longer interval helps`;
      throw new RegistryError('RateLimited', message, { retryAfterMs: wait });
    }
    const down = this.#breaker.closedTo(now);
    if (down !== undefined) {
      const message = `${name} has not answered since ${timeText(down.since)}, and is left alone for ${Math.ceil(down.waitMs / 1000)} s`;
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
      else if (isDown(error)) this.#breaker.fail(request.repository.name, this.#clock.now());
      else this.#breaker.succeed();
      throw error;
    }
  }

  #learn(answer: Answer, { repository }: RegistryRequest): void {
    const now = this.#clock.now();
    if (answer.status >= 500) this.#breaker.fail(repository.name, now);
    else this.#breaker.succeed();
    this.#refusals = answer.status === 429 ? this.#refusals + 1 : 0;
    const pause = wantedPause(answer, now) ?? this.#ownPause();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
  }

  #ownPause(): number {
    return this.#refusals === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (this.#refusals - 1), LONGEST_PAUSE_MS);
  }
}

function isDown(error: unknown): boolean {
  return error instanceof RegistryError && (error.code === 'Unreachable' || error.code === 'Timeout');
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
