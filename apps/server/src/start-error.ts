/** Something outside of us that a start needs cannot be used; `message` says what it is and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
