/** One subcommand: a folder of its own, and a line in commands.ts. */
export type Command = {
  /** The word after `holdfast`. */
  readonly name: string
  /** What it does, in one line of the help. */
  readonly summary: string
  /** The whole help, as `holdfast <name> --help` prints it. */
  readonly help: string
  /** @throws UsageError for arguments that cannot be used. Anything else that is thrown is a fault of ours. */
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

/** Where a command writes; each text is one or several whole lines, without the last line end. */
export type Terminal = {
  out(text: string): void
  err(text: string): void
  /** Resolves when what was written has gone far enough for more; absent: at once. */
  drain?(): Promise<void>
}

export const EXIT = {
  /** Done; of a question: yes. */
  ok: 0,
  /** The answer is no. */
  no: 1,
  /** The arguments, or the files that they name, cannot be used. */
  usage: 2,
  /** Somebody who was asked did not answer: this says neither yes nor no. */
  unavailable: 3,
  /** A fault of ours (EX_SOFTWARE of sysexits.h). */
  fault: 70,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What the person at the terminal has to correct. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UsageError'
  }
}
