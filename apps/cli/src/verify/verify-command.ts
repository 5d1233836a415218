import { type Command, EXIT, type ExitCode } from '../command.ts'
import { checkName, type NameCheck } from './check-name.ts'
import { readVerifyArguments } from './verify-arguments.ts'
import { asJson, asText } from './verify-report.ts'

const HELP = `usage: holdfast verify <name> [options]

Verifies the DNSSEC chain of a BIP-353 name from the root's keys down to its record.
Nobody's word is taken: neither a resolver's nor that of whoever made a proof.

  <name>               user@domain, with or without ₿

  --proof FILE         verify this proof, offline: an RFC 9102 chain in binary form, or with the
                       length-prefixed name before it, as in a PSBT (field 0x35)
  --at ISO-TIME        for this moment instead of now, such as 2025-08-07T18:00:00Z; UTC unless it says otherwise
  --grace SECONDS      accept signatures that expired up to so long ago; 3600 at most
  --anchor FILE        trust these keys (DS or DNSKEY lines, or BIND's trust-anchors statement)
                       instead of the root's keys of 2017 and 2024
  --server SERVER      without --proof: ask here, as often as you like; 192.0.2.1, 192.0.2.1:5353,
                       tcp://192.0.2.1 or https://dns.example/dns-query. Default: the system's servers
  --save FILE          without --proof: write the proof of what was found
  --json               print one JSON object

exit code: 0 the name is valid, 1 it is not, 2 the arguments cannot be used, 3 the DNS does not answer`

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'Verify a ₿name and its proof, down from the root of the DNS.',
  help: HELP,
  async run(args, terminal) {
    const request = await readVerifyArguments(args)
    const check = await checkName(request)
    terminal.out(request.json ? JSON.stringify(asJson(check), null, 2) : asText(check))
    return exitCodeOf(check)
  },
}

function exitCodeOf({ verdict }: NameCheck): ExitCode {
  if (verdict.valid) return EXIT.ok
  return verdict.code === 'unavailable' ? EXIT.unavailable : EXIT.no
}
