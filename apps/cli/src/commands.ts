import { auditCommand } from './audit/audit-command.ts'
import type { Command } from './command.ts'
import { escrowCommand } from './escrow/escrow-command.ts'
import { namesCommand } from './names/names-command.ts'
import { verifyCommand } from './verify/verify-command.ts'
import { zoneCommand } from './zone/zone-command.ts'

/** Every command, in the order in which the help shows them. */
export const COMMANDS: readonly Command[] = [
  verifyCommand,
  namesCommand,
  zoneCommand,
  escrowCommand,
  auditCommand,
]
