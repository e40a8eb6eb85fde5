import { parse } from 'yaml';
import { z } from 'zod';

// The example of Fleet's documentation, https://fleet.rancher.io/imagescan, as far as it goes: what its users copied.

const fleetYamlFile = z.object({ imageScans: z.array(z.looseObject({})).length(1) });

/** The fleet.yaml, for an image. */
export const fleetYaml = (image: string): string => `imageScans:
# specify the policy to retrieve images, can be semver or alphabetical order
- policy:
    # if range is specified, it will take the latest image according to semver order in the range
    # for more details on how to use semver, see https://github.com/Masterminds/semver
    semver:
      range: "*"
    # can use ascending or descending order
    alphabetical:
      order: asc

  # specify images to scan
  image: "${image}"

  # Specify the tag name, it has to be unique in the same bundle
  tagName: test-scan

  # specify secret to pull image if in private registry
  secretRef:
    name: dockerhub-secret

  # Specify the scan interval
  interval: 5m
`;

/** The spec that `fleet apply` makes of its one entry. */
export function entryOf(text: string): object {
  return fleetYamlFile.parse(parse(text)).imageScans[0] ?? {};
}

/** The Deployment, with a second container whose image is pinned. */
export const deploymentYaml = (image: string, tag: string, digest: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: redis-slave
spec:
  selector:
    matchLabels:
      app: redis
      role: slave
      tier: backend
  replicas: 2
  template:
    metadata:
      labels:
        app: redis
        role: slave
        tier: backend
    spec:
      containers:
      - name: slave
        image: ${image}:${tag} # {"$imagescan": "test-scan"}
        resources:
          requests:
            cpu: 100m
            memory: 100Mi
        ports:
        - containerPort: 6379
      - name: pinned
        image: ${image}:${tag}@${digest} # {"$imagescan": "test-scan:digest"}
`;

/** Values of a chart, with the other two forms of marker. */
export const valuesYaml = (image: string, tag: string): string => `# Values of the chart.

image:
    repository: ${image}   # {"$imagescan": "test-scan:name"}
    tag: '${tag}'   # {"$imagescan": "test-scan:tag"}
`;

/** The spec of the GitRepo, but for what is of the place: repo, branch and credentials. */
export const IMAGE_SCAN_COMMIT = {
  authorName: 'foo',
  authorEmail: 'foo@bar.com',
  messageTemplate: 'update image',
};
