import type { Facts, FleetController } from './facts.ts';
import { scanners } from './situation.ts';

/** What can be the next thing to do. */
export type StepName =
  | 'InstallServe'
  | 'InstallTakeOver'
  | 'Serve'
  | 'TakeOver'
  | 'AwaitLabels'
  | 'TurnOnImageScan'
  | 'RestartFleet'
  | 'ReadAsSomebodyElse';

/** A thing to do, and the command that does it. */
export interface Step {
  readonly name: StepName;
  readonly text: string;
  readonly command: string;
}

/** Fleet's usual namespace. */
const FLEET_NAMESPACE = 'cattle-fleet-system';
/** Ours, where nothing else was found. */
const OWN_NAMESPACE = 'fleetscan-system';
const CHART = 'manifests/chart';
const OWN_IMAGE =
  'If you built its image, add --set image.registry=REGISTRY --set image.repository=REPOSITORY.';

type Make = (facts: Facts) => Omit<Step, 'name'>;

const STEPS: Readonly<Record<StepName, Make>> = {
  InstallServe: () => ({
    text: `Install Fleetscan so that it serves Fleet's objects; no repository is changed. ${OWN_IMAGE}`,
    command: install('serve'),
  }),
  InstallTakeOver: () => ({
    text: `Install Fleetscan so that it takes over from Fleet; no repository is changed. ${OWN_IMAGE}`,
    command: install('take-over'),
  }),
  Serve: (facts) => ({ text: "Let Fleetscan serve Fleet's objects.", command: upgrade(facts, 'serve') }),
  TakeOver: (facts) => ({
    text: 'Let Fleetscan take over from Fleet.',
    command: upgrade(facts, 'take-over'),
  }),
  AwaitLabels: (facts) => ({
    text: 'Wait until Fleetscan runs and has labelled the ImageScans of Fleet, a few seconds as a rule; then check again.',
    command: rolloutStatus(facts),
  }),
  TurnOnImageScan: (facts) => ({
    text: 'Turn the image scan of Fleet on, so that it deploys what has imageScans in fleet.yaml. Where Rancher installed Fleet, set the value there. Or leave it off, and move imageScans of each fleet.yaml into a file fleetscan.yaml beside it (named in .fleetignore where Fleet would deploy it).',
    command: turnOn(facts),
  }),
  RestartFleet: (facts) => ({
    text: 'Restart fleet-controller once: the jobs that it scheduled before the take-over live until then.',
    command: restart(facts),
  }),
  ReadAsSomebodyElse: () => ({
    text: 'Run this check as somebody who may list the Deployments of all namespaces.',
    command: 'kubectl auth can-i list deployments.apps --all-namespaces',
  }),
};

/** The step of that name in this cluster. */
export function stepOf(name: StepName, facts: Facts): Step {
  return { name, ...STEPS[name](facts) };
}

function install(takeover: string): string {
  return `helm upgrade --install fleetscan ${CHART} --namespace ${OWN_NAMESPACE} --create-namespace --set fleet.takeover=${takeover}`;
}

function upgrade({ fleetscan }: Facts, takeover: string): string {
  if (fleetscan === undefined || fleetscan === 'none') return install(takeover);
  const { release, namespace } = fleetscan;
  return `helm upgrade ${release} ${CHART} --namespace ${namespace} --reuse-values --set fleet.takeover=${takeover}`;
}

function rolloutStatus({ fleetscan }: Facts): string {
  const { namespace, deployment } =
    typeof fleetscan === 'object' ? fleetscan : { namespace: OWN_NAMESPACE, deployment: 'fleetscan' };
  return `kubectl -n ${namespace} rollout status deployment/${deployment}`;
}

/** The version stays: this is no upgrade of Fleet. */
function turnOn(facts: Facts): string {
  const { namespace, version } = mainController(facts);
  const sameVersion = version === undefined ? '' : ` --version ${version}`;
  return `helm upgrade fleet fleet --repo https://rancher.github.io/fleet-helm-charts/${sameVersion} --namespace ${namespace} --reuse-values --set imagescan.enabled=true`;
}

function restart(facts: Facts): string {
  const { namespace } = mainController(facts);
  const names = scanners(facts)
    .filter((controller) => controller.namespace === namespace)
    .map(({ name }) => `deployment/${name}`);
  return `kubectl -n ${namespace} rollout restart ${names.length > 0 ? names.join(' ') : 'deployment/fleet-controller'}`;
}

function mainController(facts: Facts): Pick<FleetController, 'namespace' | 'version'> {
  return scanners(facts)[0] ?? { namespace: FLEET_NAMESPACE };
}
