/** A pull request as a fake host keeps it. */
export interface FakePull {
  readonly number: number;
  readonly source: string;
  readonly target: string;
  /** From a branch of somebody's fork. */
  readonly isFork: boolean;
  title: string;
  body: string;
  state: 'open' | 'closed' | 'merged';
  /** Counts up with every change, where a host has it. */
  version: number;
  readonly labels: string[];
  assignees: string[];
  readonly comments: string[];
}

/** What is in a host, whatever its API, and what people do there. */
export class Forge {
  readonly pulls: FakePull[] = [];
  /** Those that can be assigned, or asked for a review. */
  readonly users: string[] = ['ann', 'bob', 'eve'];
  readonly labels: string[] = ['bug'];
  readonly branches = new Set(['main', 'release/1', 'bot/main']);

  /** Newest first, as all hosts can list them. */
  between(source: string, target: string): FakePull[] {
    return this.pulls.filter((pull) => pull.source === source && pull.target === target).toReversed();
  }

  openBetween(source: string, target: string): FakePull | undefined {
    return this.between(source, target).find((pull) => pull.state === 'open' && !pull.isFork);
  }

  find(number: number): FakePull | undefined {
    return this.pulls.find((pull) => pull.number === number);
  }

  open(source: string, target: string, text: { title: string; body: string }, isFork = false): FakePull {
    const pull: FakePull = {
      number: this.pulls.length + 1,
      source,
      target,
      isFork,
      ...text,
      state: 'open',
      version: 0,
      labels: [],
      assignees: [],
      comments: [],
    };
    this.pulls.push(pull);
    return pull;
  }

  /** Adds labels that a pull request has not; what the host has not yet, it makes. */
  label(pull: FakePull, names: readonly string[]): void {
    for (const name of names) {
      if (!this.labels.includes(name)) this.labels.push(name);
      if (!pull.labels.includes(name)) pull.labels.push(name);
    }
  }
}
