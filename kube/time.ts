/** A `metav1.Time`: RFC 3339 to the second, as the API server itself writes it. */
export function timeText(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A `metav1.MicroTime`: the API server takes six digits of the second and no other number of them. */
export function microTimeText(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
