/** One set of programs out of Debian, unpacked together. */
export type Bundle = {
  readonly name: string
  /** Fixed, so that every machine tests against the same major versions. */
  readonly suite: string
  readonly packages: readonly string[]
  readonly without: RegExp
  /** Programs by their path in the packages; each gets a launcher `bin/<name>`. */
  readonly programs: readonly string[]
  /**
   * Whose dynamic loader and C library start them. The bundle's own do on any system; the system's must be as new as the
   * suite, and serve programs that start themselves again by their own path.
   */
  readonly loader: 'bundle' | 'system'
  /** What tells the tests where it is: the launcher of this name, or `bin` itself when empty. */
  readonly variables: Readonly<Record<string, string>>
}

const POSTGRES_BIN = 'usr/lib/postgresql/15/bin'

export const BUNDLES: readonly Bundle[] = [
  {
    name: 'bitcoind',
    suite: 'sid',
    packages: ['bitcoin-knots'],
    without: /^(libsystemd|libelogind|libaudit|libpam)/,
    programs: ['usr/bin/bitcoind'],
    loader: 'bundle',
    variables: { HOLDFAST_BITCOIND: 'bitcoind' },
  },
  {
    name: 'knot',
    suite: 'bookworm',
    packages: ['knot'],
    without: /^(libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang)/,
    programs: ['usr/sbin/knotd', 'usr/sbin/knotc'],
    loader: 'bundle',
    variables: { HOLDFAST_KNOTD: 'knotd', HOLDFAST_KNOTC: 'knotc' },
  },
  {
    name: 'dns-tools',
    suite: 'bookworm',
    packages: ['bind9-dnsutils'],
    without: /^(libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang)/,
    programs: ['usr/bin/dig', 'usr/bin/delv'],
    loader: 'bundle',
    variables: { HOLDFAST_DIG: 'dig', HOLDFAST_DELV: 'delv' },
  },
  {
    name: 'bind',
    suite: 'bookworm',
    packages: ['bind9'],
    without: /^(libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang|libpython3)/,
    programs: ['usr/sbin/named'],
    loader: 'bundle',
    variables: { HOLDFAST_NAMED: 'named' },
  },
  {
    name: 'powerdns',
    suite: 'bookworm',
    packages: ['pdns-server', 'pdns-backend-sqlite3'],
    without:
      /^(libsystemd|libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang|libpython3)/,
    programs: ['usr/sbin/pdns_server', 'usr/bin/pdnsutil'],
    loader: 'bundle',
    variables: { HOLDFAST_PDNS_SERVER: 'pdns_server', HOLDFAST_PDNSUTIL: 'pdnsutil' },
  },
  {
    name: 'unbound',
    suite: 'bookworm',
    packages: ['unbound'],
    without:
      /^(libsystemd|libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang|libpython3)/,
    programs: ['usr/sbin/unbound'],
    loader: 'bundle',
    variables: { HOLDFAST_UNBOUND: 'unbound' },
  },
  {
    name: 'postgres',
    suite: 'bookworm',
    packages: ['postgresql-15', 'postgresql-client-15'],
    // LLVM only serves the JIT compiler, which the tests leave off: 120 MB.
    without: /^(libllvm|libz3|libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang)/,
    programs: ['initdb', 'postgres', 'pg_ctl', 'psql'].map((name) => `${POSTGRES_BIN}/${name}`),
    loader: 'bundle',
    variables: { HOLDFAST_POSTGRES_BIN: '' },
  },
  {
    name: 'chromium',
    suite: 'bookworm',
    packages: ['chromium-headless-shell', 'chromium-common'],
    without: /^(libc6|libllvm|libz3|libgl1-mesa|libelogind|libperl|libdb5|libgdbm|libdebian-installer)/,
    programs: ['usr/lib/chromium/chromium-headless-shell'],
    loader: 'system',
    variables: { HOLDFAST_CHROMIUM: 'chromium-headless-shell' },
  },
]
