/**
 * The part of a Pod that holds images and markers. What may be absent may be null as well: `containers` is, in a pod
 * without any, which is refused only after admission.
 */
export interface Pod {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> | null } | null;
  readonly spec?: {
    readonly containers?: readonly Container[] | null;
    readonly initContainers?: readonly Container[] | null;
    readonly ephemeralContainers?: readonly Container[] | null;
    readonly volumes?: readonly Volume[] | null;
  } | null;
}

interface Container {
  readonly name: string;
  readonly image?: string | null;
}

interface Volume {
  readonly name: string;
  readonly image?: { readonly reference?: string | null } | null;
}

/** One image in a pod: which container or image volume has it, and where. */
export interface PodImage {
  readonly kind: 'container' | 'init container' | 'ephemeral container' | 'image volume';
  /** Name of the container or volume. */
  readonly name: string;
  readonly image: string;
  /** JSON pointer (RFC 6901) of the image in the Pod. */
  readonly path: string;
}

/**
 * Every image of a pod, in the order that decides whom an annotation means: a container before an image volume that
 * bears the same name.
 */
export function podImages(pod: Pod): PodImage[] {
  const { containers, initContainers, ephemeralContainers, volumes } = pod.spec ?? {};
  return [
    ...containerImages(containers, 'container', '/spec/containers'),
    ...containerImages(initContainers, 'init container', '/spec/initContainers'),
    ...containerImages(ephemeralContainers, 'ephemeral container', '/spec/ephemeralContainers'),
    ...(volumes ?? []).flatMap(volumeImage),
  ];
}

/** The ephemeral containers that `pod` has and `before` has not: the only ones that may still be changed. */
export function addedEphemeralContainers(pod: Pod, before: Pod): PodImage[] {
  const known = new Set(before.spec?.ephemeralContainers?.map((container) => container.name));
  return podImages(pod).filter((image) => image.kind === 'ephemeral container' && !known.has(image.name));
}

function containerImages(
  containers: readonly Container[] | null | undefined,
  kind: PodImage['kind'],
  path: string,
): PodImage[] {
  return (containers ?? []).map(({ name, image }, index) => ({
    kind,
    name,
    image: image ?? '',
    path: `${path}/${index}/image`,
  }));
}

function volumeImage({ name, image }: Volume, index: number): PodImage[] {
  if (!image) return [];
  const path = `/spec/volumes/${index}/image/reference`;
  return [{ kind: 'image volume', name, image: image.reference ?? '', path }];
}
