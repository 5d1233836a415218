import type { Hex, LightningNode, Network, PaymentProofs } from '../ports.ts'

/** Where the backend reports what happened. It is never given a seed, a private key or a preimage. */
export type Log = {
  info(message: string, data?: LogData): void
  warn(message: string, data?: LogData): void
  error(message: string, data?: LogData): void
}

export type LogData = Readonly<Record<string, string | number | boolean | bigint | null>>

export type LdkHostOptions = {
  network: Network
  /** A bitcoind (or what speaks its JSON-RPC); user and password may stand in the URL. */
  bitcoind: { url: string }
  /** A cache of the public network graph. Losing it costs time, never money. */
  graphFile?: string
  /** How often the chain's tip is asked for. Default 1,000 ms. */
  pollMs?: number
  log: Log
}

export interface LdkHost {
  readonly network: Network
  /** How often the host had to be started again after a fault of the WASM instance. */
  readonly restarts: number
  /**
   * Opens (or creates) the node that lives in `folder`. Throws `NodeError('conflict')` when another process has it
   * open, and `NodeError('invalid')` when the folder belongs to another seed or network, or its file cannot be read.
   *
   * With `evenDown` a node that cannot be opened is answered all the same: it is offline, and is tried again.
   */
  openNode(options: LdkNodeOptions, how?: { evenDown?: boolean }): Promise<LdkNode>
  /** The nodes that should be open and are not. Every call to one throws `NodeError('offline')`; the others run on. */
  faults(): readonly NodeFault[]
  /** Of the whole process. */
  memory(): Promise<{ residentBytes: number }>
  /** Fault injection: makes the WASM instance panic, as a bug in it would. For tests only. */
  crash(): void
  stop(): Promise<void>
}

export type NodeFault = { readonly nodeId: Hex; readonly reason: string }

export type LdkNodeOptions = {
  /** Holds the node's one SQLite file. Never restore it from an older copy: that loses money. */
  folder: string
  /** 32 bytes; every key of the node and of its on-chain wallet follows from it. */
  seed: Uint8Array
  /** At most 32 bytes of UTF-8, public. */
  alias: string
  listen?: { host: string; port: number }
  /** What the node asks for forwarding. Default 1,000 msat + 1,000 ppm. */
  fees?: { baseMsat: number; ppm: number }
  /** Node ids that may open channels to us; `'anyone'` is the default. */
  acceptInboundChannelsFrom?: 'anyone' | 'nobody' | readonly Hex[]
  /** Forward to our unannounced channels: for a node that connects others. Default true. */
  forwardToPrivateChannels?: boolean
  /**
   * Keep the preimages of our own payments as proofs for `preimage()`. Only for a node on its user's device: the
   * operator's node pays on hashes whose preimages belong to users, so the default is false.
   */
  keepProofs?: boolean
  /** Confirmations before a new channel is used. Default 1 on regtest, 6 elsewhere. */
  minimumDepth?: number
}

export interface LdkNode extends LightningNode, PaymentProofs {
  readonly invoices: NonNullable<LightningNode['invoices']>
  readonly holdInvoices: NonNullable<LightningNode['holdInvoices']>
  readonly ownHolds: NonNullable<LightningNode['ownHolds']>
  readonly offers: NonNullable<LightningNode['offers']>
  readonly payer: NonNullable<LightningNode['payer']>
  readonly funds: NonNullable<LightningNode['funds']>
  readonly events: NonNullable<LightningNode['events']>
  /** The port actually listened on; null when the node does not listen. */
  readonly listening: { host: string; port: number } | null
  /** Connects, remembers the address and reconnects by itself from now on. Resolves when the peer is connected. */
  connect(nodeId: Hex, host: string, port: number): Promise<void>
  listPeers(): Promise<Hex[]>
  /** Resolves once the funding transaction is signed by both sides and broadcast. */
  openChannel(request: OpenChannelRequest): Promise<{ channelId: Hex; fundingTxid: Hex }>
  listChannels(): Promise<ChannelInfo[]>
  /** Starts to close; the events and `funds` tell when the money is back. */
  closeChannel(channelId: Hex, options?: { force?: boolean }): Promise<void>
  /** A fresh P2WPKH address of the node's own wallet. */
  newAddress(): Promise<string>
  /** Follows the chain to its present tip. Answers the height reached. */
  sync(): Promise<{ height: number }>
  /** Whether the network graph knows a public channel in both directions. */
  knowsChannel(shortChannelId: bigint): Promise<boolean>
  stop(): Promise<void>
}

export type OpenChannelRequest = {
  peer: Hex
  amountSat: bigint
  pushMsat?: bigint
  /** Tell the network, so that others can route through it. Default false. */
  announce?: boolean
}

export type ChannelInfo = {
  channelId: Hex
  peer: Hex
  fundingTxid: Hex | null
  shortChannelId: bigint | null
  capacitySat: bigint
  /** Our side, reserve included, pending HTLCs excluded. */
  balanceMsat: bigint
  outboundMsat: bigint
  inboundMsat: bigint
  announced: boolean
  ready: boolean
  /** Ready and the peer is connected. */
  usable: boolean
  confirmations: number
}
