/** Thrown by `issue` of a `TokenIssuer` when there is no user with the given id. */
export class UnknownUserError extends TypeError {
  readonly code = 'ERR_USER_UNKNOWN';

  /** @param owner what was called, e.g. `'MyTokens.issue'`. */
  constructor(owner: string) {
    super(`${owner}: userId must be the id of a user, got one that nobody has`);
    this.name = 'UnknownUserError';
  }
}
