import { z } from 'zod';
import { FLEET_GROUP, type Group, OWN_GROUP } from '../../core/group.ts';

export const GROUP = OWN_GROUP;
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
/** Fleet's kinds have the version of ours. */
export const FLEET_API_VERSION = `${FLEET_GROUP}/${VERSION}`;

/** A Go duration, or `0` for the default. Fleet's rule since v0.16, the longest that Go can hold included. */
export const duration = z
  .string()
  .min(1)
  .max(32)
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "self == '0' || (self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$') && duration(self) <= duration('2562047h'))",
        message: 'must be a Go duration such as 30s, 15m or 1h30m (there is no unit for days or weeks)',
      },
    ],
  });

export const timestamp = z.iso.datetime({ offset: true }).meta({ format: 'date-time' });

/** Fleet marks most of its fields nullable; so do we, that its objects stay valid under our group. */
export const nullableText = z.string().nullable().optional();

export const localObjectReference = z.object({
  name: z.string().min(1).max(253).describe('Name of the Secret, in the same namespace.'),
});

/** `metav1.Condition`. */
export const condition = z.object({
  type: z.string().max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().max(1024).optional().describe('A CamelCase word that a program can switch on.'),
  message: z.string().max(32768).optional().describe('What is so, and what a person can do about it.'),
  observedGeneration: z.int().optional(),
  lastTransitionTime: timestamp.optional(),
});
export type Condition = z.infer<typeof condition>;

export const conditions = z
  .array(condition)
  .optional()
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** The metadata that we read of any object. */
export const objectMeta = z.object({
  name: z.string(),
  namespace: z.string().default(''),
  uid: z.string().default(''),
  generation: z.int().default(0),
  resourceVersion: z.string().default(''),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  annotations: z.record(z.string(), z.string()).default({}),
  labels: z.record(z.string(), z.string()).default({}),
  // Loose: who sets one owner writes the whole list back.
  ownerReferences: z
    .array(z.looseObject({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() }))
    .optional(),
});
export type ObjectMeta = z.infer<typeof objectMeta>;

/** How an Event names one of our objects. */
export function objectRef(
  kind: 'ImageScan' | 'GitRepo',
  { group, metadata }: { readonly group: Group; readonly metadata: ObjectMeta },
) {
  const { namespace, name, uid } = metadata;
  return { apiVersion: `${group}/${VERSION}`, kind, namespace, name, uid };
}
