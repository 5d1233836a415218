/** The devnet cannot start, for a reason that lies outside of it; `message` says which and what to do. */
export class WorldError extends Error {
  override readonly name = 'WorldError'
}
