/** How the pointer file of Git LFS begins, by its specification. */
const LFS_POINTER = Buffer.from('version https://git-lfs.github.com/spec/');
const MAX_POINTER = 1024;

/** Is it what Git has of a file that is in Git LFS? */
export function isLfsPointer(content: Buffer): boolean {
  return content.length < MAX_POINTER && content.indexOf(LFS_POINTER) === 0;
}
