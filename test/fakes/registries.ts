import type { Dialect } from './registry-dialect.ts';

const quoted = (target: string): string => `<${target}>; rel="next"`;

/**
 * Registries that users have, each with what sets it apart from the distribution specification or from others. Page sizes are a hundredth of
 * the real ones, so that 30 tags are several pages.
 */
export const REGISTRIES = {
  'Distribution 3': {
    auth: 'Bearer',
    pageSize: 10,
    tooMany: { above: 1000, status: 400, code: 'PAGINATION_NUMBER_INVALID' },
    emptyList: null,
    etag: true,
  },
  'Distribution 2': { auth: 'Basic', pageSize: 30, digestHeader: () => undefined },
  'Docker Hub': {
    auth: 'Bearer',
    anonymousPull: true,
    link: (target) => quoted(`{origin}${target}`),
    headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '97;w=21600' },
  },
  GHCR: { auth: 'Bearer', anonymousPull: true, oauth: false, pageSize: 10, expiresIn: undefined },
  'Amazon ECR': {
    auth: 'Basic',
    pageSize: 10,
    tooMany: { above: 999, status: 405, code: 'UNSUPPORTED' },
  },
  'Amazon ECR behind a proxy': {
    auth: 'Basic',
    pageSize: 10,
    tooMany: {
      above: 500,
      status: 400,
      code: 'InvalidParameterException',
      message: `Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 500'`,
    },
  },
  Quay: { auth: 'Bearer', anonymousPull: true, pageSize: 1 },
  'Quay of old': {
    auth: 'Bearer',
    anonymousPull: true,
    pageSize: 5,
    cursor: 'next_page',
    link: (target) => `${target}; rel=next`,
  },
  Artifactory: {
    auth: 'Bearer',
    tokenField: 'access_token',
    pageSize: 10,
    link: (target) => quoted(target.replace('/v2/acme/', '/v2/')),
    head: false,
  },
  'Google Artifact Registry': {
    auth: 'Bearer',
    pageSize: 100,
    listFields: (tags) => ({
      child: [],
      manifest: Object.fromEntries(
        tags.map((tag) => [
          `sha256:${tag}`,
          { tag: [tag], mediaType: '', imageSizeBytes: '1', timeUploadedMs: '1' },
        ]),
      ),
    }),
  },
  'Azure Container Registry': {
    auth: 'Bearer',
    tokenField: 'access_token',
    listActions: ['pull', 'metadata_read'],
    pageSize: 10,
    link: (target) => quoted(`${target}&orderby=`),
  },
  GitLab: { auth: 'Bearer', pageSize: 10, expiresIn: 300, emptyList: [] },
  Forgejo: {
    auth: 'Bearer',
    challenges: [
      'Bearer realm="{origin}/token",service="container_registry",scope="*"',
      'Basic realm="Forgejo"',
    ],
    pageSize: 10,
  },
} satisfies Record<string, Partial<Dialect>>;
