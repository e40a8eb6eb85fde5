/** Why something failed, as a condition of ours has it: a reason that is one word, and a message. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
}

/** A failure in one text, for the message of a condition of Fleet's, whose reason is always `Error`. */
export function failureText({ reason, message }: Failure): string {
  return `${reason}: ${message}`;
}

/** The failure in a {@link failureText}; undefined for a text that Fleet itself wrote. */
export function failureIn(text: string | undefined): Failure | undefined {
  const [, reason, message = ''] = /^([A-Z][A-Za-z]*): (.*)$/s.exec(text ?? '') ?? [];
  return reason === undefined ? undefined : { reason, message };
}
