export interface BasicCredential {
  readonly username: string;
  readonly password: string;
}

/** The value of an `Authorization` header (RFC 7617). */
export function basicAuth({ username, password }: BasicCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
