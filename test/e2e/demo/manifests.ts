/** The file that stands in Git, and that the demo applies: a marker beside the image, and the same on the pod template. */
export function deploymentYaml(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
      annotations:
        imagescan.fleetscan.io/web: '{"$imagescan": "web"}'   # for the pods
    spec:
      containers:
        - name: web
          image: ${image} # {"$imagescan": "web"}
`;
}

/** What to follow, and by which policy. */
export function imageScanYaml(image: string): string {
  return `apiVersion: fleetscan.io/v1alpha1
kind: ImageScan
metadata:
  name: web
spec:
  image: ${image}
  interval: 5m
  policy:
    semver:
      range: ">=1.0.0"
`;
}

/** Where to write values back, with the Secret that it takes. */
export function gitRepoYaml(url: string, credential: { username: string; password: string }): string {
  return `apiVersion: v1
kind: Secret
metadata:
  name: git
type: kubernetes.io/basic-auth
stringData: {username: ${credential.username}, password: ${credential.password}}
---
apiVersion: fleetscan.io/v1alpha1
kind: GitRepo
metadata:
  name: web
spec:
  repo: ${url}
  branch: main
  clientSecretName: git
  imageScanCommit:
    authorName: Fleetscan
    authorEmail: fleetscan@example.com
    messageTemplate: "Update images"
`;
}
