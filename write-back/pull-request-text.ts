import { oneLine } from '../core/one-line.ts';
import type { HostProvider, PullRequestText } from '../git/hosts/host.ts';
import { imageChanges, summary } from './image-changes.ts';
import { digestBefore, type Labels } from './image-labels.ts';
import { changesTable, code, MAX_BODY } from './markdown.ts';
import type { CommitData } from './message-data.ts';
import { renderMessage, tryTemplate } from './message-template.ts';
import { sourceLink } from './source-links.ts';

const TITLE_FIELD = 'spec.pullRequest.title';
/** GitLab's; the others take more. */
const MAX_TITLE = 255;

/** What a request may say beside the changes. */
export interface RequestOptions {
  /** The template of the title; empty for the default. */
  readonly title?: string | null | undefined;
  /** What the images say of their source. */
  readonly labels?: Labels;
  /** Hosts that are known besides the public ones, by name and port. */
  readonly hosts?: ReadonlyMap<string, HostProvider>;
}

/**
 * What a pull request says: in the title what changes, in the body the table of images, who made it, and how to stop it.
 *
 * @throws {TemplateError} when the title cannot be made
 */
export function pullRequestText(
  data: CommitData,
  { title, labels = new Map(), hosts = new Map() }: RequestOptions = {},
): Pick<PullRequestText, 'title' | 'body'> {
  const changes = imageChanges(data.edits);
  const given = title ? oneLine(renderMessage(TITLE_FIELD, title, data).trim(), MAX_TITLE) : '';
  const foot = footOf(data);
  const table = changesTable(changes, {
    limit: MAX_BODY - foot.length,
    linkOf: (change) =>
      sourceLink(labels.get(change.value.digest), labels.get(digestBefore(change) ?? ''), hosts),
  });
  return { title: given || oneLine(summary(changes), MAX_TITLE), body: `${table}${foot}` };
}

/**
 * Finds the mistakes of a title's template, before there is anything to open.
 *
 * @throws {TemplateError}
 */
export function checkTitle(title: string | null | undefined): void {
  if (title) tryTemplate(TITLE_FIELD, title);
}

function footOf({ gitRepo: { namespace, name } }: CommitData): string {
  return `
Made by Fleetscan for the GitRepo ${code(`${namespace}/${name}`)}, and kept up to date until it is merged or closed.

- To leave an image as it is, take its marker, the comment with ${code('"$imagescan"')}, out of the file.
- To stop all of this, set ${code('spec.suspend: true')} of the GitRepo.
`;
}
