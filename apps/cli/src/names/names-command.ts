import type { HoldfastClient, Job, Name } from '@holdfast/client'
import { decode } from 'nostr-tools/nip19'
import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from '../command.ts'
import { answered, connect, SERVER_HELP, SERVER_OPTIONS } from '../server/connection.ts'
import { readArguments, take } from '../server/read-arguments.ts'

const HELP = `usage: holdfast names list [options]
       holdfast names show <name> [options]
       holdfast names register <name> [--offer LNO] [options]
       holdfast names offer <name> [--offer LNO] [options]      another offer for a name
       holdfast names release <name> [options]                  give a name up
       holdfast names transfer <name> <public key> [options]    propose it: npub1… or 64 hex digits
       holdfast names keep <name> [options]                     take that proposal back
       holdfast names accept <name> [--offer LNO] [options]     take over what was proposed to you
       holdfast names suspend|resume <name> [options]           for operators

  <name>               user@domain, with or without ₿; '*@domain' is the wildcard of a domain of your own
  --offer LNO          a BOLT 12 offer made on your own device; default: your connected node makes one
${SERVER_HELP}

A registration or another offer is followed to its end; interrupted, it goes on at the server. A name that
is given up or suspended says "withdrawing" until its record is gone: show tells.

exit code: 0 done, 1 the server declines or it failed, 2 the arguments cannot be used, 3 no answer`

const OPTIONS = { ...SERVER_OPTIONS, offer: { type: 'string' } } as const

export const namesCommand: Command = {
  name: 'names',
  summary: 'Register, change, transfer and release ₿names.',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, OPTIONS)
    const [action, ...words] = positionals
    const ask = asked(action, words, values.offer)
    const client = await connect(values)
    const show: Show = { terminal, json: values.json ?? false }
    return answered(terminal, () => ask(client, show))
  },
}

type Show = { readonly terminal: Terminal; readonly json: boolean }
type Ask = (client: HoldfastClient, show: Show) => Promise<ExitCode>

/** What may follow the action. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  list: [],
  show: ['<name>'],
  register: ['<name>'],
  offer: ['<name>'],
  release: ['<name>'],
  transfer: ['<name>', '<public key>'],
  keep: ['<name>'],
  accept: ['<name>'],
  suspend: ['<name>'],
  resume: ['<name>'],
}

function asked(action: string | undefined, words: readonly string[], offer: string | undefined): Ask {
  const wanted = action === undefined ? undefined : WORDS[action]
  if (wanted === undefined) throw new UsageError(`what? ${Object.keys(WORDS).join(', ')}`)
  const [name = '', key = ''] = take(words, ...wanted)
  const request = offer === undefined ? {} : { offer }
  switch (action) {
    case 'show':
      return named((client) => client.getName(name))
    case 'register': {
      const [user = '', domain = ''] = splitName(name)
      return followed((client) => client.registerName({ user, domain, ...request }))
    }
    case 'offer':
      return followed((client) => client.changeOffer(name, request))
    case 'accept':
      return followed((client) => client.acceptTransfer(name, request))
    case 'resume':
      return followed((client) => client.resumeName(name))
    case 'release':
      return named((client) => client.releaseName(name))
    case 'transfer': {
      const to = readPublicKey(key)
      return named((client) => client.proposeTransfer(name, to))
    }
    case 'keep':
      return named((client) => client.cancelTransfer(name))
    case 'suspend':
      return named((client) => client.suspendName(name))
    default:
      return listAll
  }
}

function named(ask: (client: HoldfastClient) => Promise<Name>): Ask {
  return async (client, show) => {
    const name = await ask(client)
    return told(show, name, nameText(name))
  }
}

function readPublicKey(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase()
  const key = text.startsWith('npub1') ? decodeNpub(text) : null
  if (key === null) throw new UsageError(`${text} is no Nostr public key (npub1… or 64 hex digits)`)
  return key
}

function decodeNpub(text: string): string | null {
  try {
    const decoded = decode(text)
    return decoded.type === 'npub' ? decoded.data : null
  } catch {
    // nostr-tools throws whatever its parts throw; the caller says what was expected.
    return null
  }
}

const listAll: Ask = async (client, show) => {
  const all: Name[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const { names, next } = await client.listNames(after === undefined ? {} : { after })
    all.push(...names)
    after = next
  }
  return told(show, all, all.length === 0 ? 'You have no names here.' : all.map(nameText).join('\n'))
}

/** Says each step as it is done, and how it ended. */
function followed(begin: (client: HoldfastClient) => Promise<Job>): Ask {
  return async (client, show) => {
    let job = await begin(client)
    let said = 0
    const say = () => {
      if (!show.json) for (const { step } of job.stepsDone.slice(said)) show.terminal.out(`  ✓ ${step}`)
      said = job.stepsDone.length
    }
    say()
    job = await client.waitForJob(job.id, {
      onProgress: (seen) => {
        job = seen
        say()
      },
    })
    say()
    const ended = job.state === 'succeeded'
    const text = ended ? 'done' : `${job.error?.code}: ${job.error?.title} ${job.error?.hint}`
    told(show, job, text)
    return ended ? EXIT.ok : EXIT.no
  }
}

function told({ terminal, json }: Show, value: unknown, text: string): ExitCode {
  terminal.out(json ? JSON.stringify(value, null, 2) : text)
  return EXIT.ok
}

function splitName(text: string): readonly string[] {
  const parts = text.replace(/^₿/, '').split('@')
  if (parts.length !== 2) throw new UsageError(`${text} is no name such as alice@shop.example`)
  return parts
}

function nameText({ name, state, offer, transfer, unhealthy, trouble }: Name): string {
  const lines = [`₿${name}  ${state}`]
  if (offer) lines.push(`  ${offer}`)
  if (transfer) lines.push(`  proposed to ${transfer.to} until ${new Date(transfer.until).toISOString()}`)
  if (unhealthy) {
    const since = new Date(unhealthy.since).toISOString()
    lines.push(`  ! ${unhealthy.reason} since ${since}: ${unhealthy.title} ${unhealthy.hint}`)
  }
  if (trouble) lines.push(`  ! ${trouble.code}: ${trouble.title} ${trouble.hint}`)
  return lines.join('\n')
}
