/** What the name of an object may have of characters. */
export const MAX_OBJECT_NAME = 253;

const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Would the API server take it as the name of an object (RFC 1123 subdomain)? */
export function isObjectName(text: string): boolean {
  return text.length <= MAX_OBJECT_NAME && OBJECT_NAME.test(text);
}
