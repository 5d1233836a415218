/** A story that cannot go on, with the stable code that `--json` reports. */
export class DemoError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DemoError'
    this.code = code
  }
}
