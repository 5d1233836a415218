import type { Command } from './command.ts'
import { verifyCommand } from './verify/verify-command.ts'

/** Every command, in the order in which the help shows them. */
export const COMMANDS: readonly Command[] = [verifyCommand]
