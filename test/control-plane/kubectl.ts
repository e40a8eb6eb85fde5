import { type RunOptions, type RunResult, RunError, run } from './run.ts';

export interface KubectlOptions extends RunOptions {
  /** By default the administrator's. */
  readonly kubeconfig?: string;
}

/** kubectl against one cluster, apart from the user's own kubectl: another home, another kubeconfig. */
export class Kubectl {
  readonly #program: string;
  readonly #home: string;
  readonly #kubeconfig: string;

  /** @param home an existing folder, for the discovery cache; the user's holds a kuberc that is not the test's */
  constructor(program: string, { home, kubeconfig }: { home: string; kubeconfig: string }) {
    this.#program = program;
    this.#home = home;
    this.#kubeconfig = kubeconfig;
  }

  /** Runs it; its exit code is for the caller to judge. */
  run(
    { kubeconfig = this.#kubeconfig, env, ...rest }: KubectlOptions,
    args: readonly string[],
  ): Promise<RunResult> {
    return run(this.#program, args, { ...rest, env: { HOME: this.#home, KUBECONFIG: kubeconfig, ...env } });
  }

  /**
   * Runs it as the administrator and gives its output.
   *
   * @throws {RunError} with what it said, when it fails
   */
  async must(args: readonly string[], stdin = ''): Promise<string> {
    const result = await this.run({ stdin }, args);
    if (result.code === 0) return result.stdout;
    throw new RunError(
      `kubectl ${args.join(' ')} ended with ${result.code}: ${result.stderr.trim()}`,
      result,
    );
  }

  /** Creates a Node that is Ready, as a DaemonSet wants one. */
  async addNode(name: string): Promise<void> {
    const resources = { cpu: '64', memory: '256Gi', pods: '1000' };
    const ready = { type: 'Ready', status: 'True', reason: 'Test', message: 'a node without a kubelet' };
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
      status: { capacity: resources, allocatable: resources, conditions: [ready] },
    };
    await this.must(['create', '-f', '-'], JSON.stringify(node));
    // Every new Node is tainted not-ready, and the controller that lifts the taint does not run here.
    await this.must(['patch', 'node', name, '--type=merge', '-p', '{"spec":{"taints":null}}']);
  }
}
