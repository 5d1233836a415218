import { TYPE } from '../../../dns/codes.ts'
import { nameToWire } from '../../../dns/names.ts'
import { dname, dropRrsigs, NAME, OWNER, type ValidationCase } from '../crafted-case.ts'
import { type AddRecord, makeWorld, shopWorld, tampered, text, type World } from '../signed-world.ts'

const cname = (target: string) => (add: AddRecord) => {
  add(OWNER, TYPE.CNAME, nameToWire(target))
  add('real', TYPE.TXT, text('bitcoin:?lno=real'))
}
const tooLong: World = shopWorld({
  data: (add) => add('user._bitcoin-payment', TYPE.DNAME, nameToWire(`${'a'.repeat(60)}.`.repeat(4))),
})
const tooLongName = `${'b'.repeat(60)}.user._bitcoin-payment.shop.test.`

export const ALIASES: readonly ValidationCase[] = [
  {
    title: 'a CNAME',
    world: shopWorld({ data: cname('real.shop.test.') }),
    expected: 'secure bitcoin:?lno=real',
  },
  {
    title: 'a CNAME into another signed zone',
    world: makeWorld([
      { apex: '.' },
      { apex: 'test.' },
      { apex: 'shop.test.', data: cname('bob.other.test.') },
      { apex: 'other.test.', data: (add) => add('bob', TYPE.TXT, text('bitcoin:?lno=other')) },
    ]),
    expected: 'secure bitcoin:?lno=other',
  },
  {
    title: 'a CNAME into an unsigned zone',
    world: makeWorld([
      { apex: '.' },
      { apex: 'test.' },
      { apex: 'shop.test.', data: cname('bob.other.test.') },
      { apex: 'other.test.', ds: null, signWith: [], data: (add) => add('bob', TYPE.TXT, text('x')) },
    ]),
    expected: 'insecure',
  },
  {
    title: 'a CNAME to nothing',
    world: shopWorld({ data: cname('nobody.shop.test.') }),
    expected: 'nxdomain',
  },
  {
    title: 'a CNAME loop of one',
    world: shopWorld({ data: cname(NAME) }),
    expected: 'bogus alias-loop',
  },
  {
    title: 'a CNAME loop of two',
    world: shopWorld({
      data: (add) => {
        add(OWNER, TYPE.CNAME, nameToWire('b.shop.test.'))
        add('b', TYPE.CNAME, nameToWire(NAME))
      },
    }),
    expected: 'bogus alias-loop',
  },
  {
    title: 'a CNAME chain that is too long',
    world: shopWorld({
      data: (add) => {
        add(OWNER, TYPE.CNAME, nameToWire('n1.shop.test.'))
        for (let i = 1; i < 20; i++) add(`n${i}`, TYPE.CNAME, nameToWire(`n${i + 1}.shop.test.`))
        add('n20', TYPE.TXT, text('far'))
      },
    }),
    expected: 'bogus alias-loop',
    others: { delv: 'secure', why: 'delv has a higher limit: it follows all twenty, we and Unbound stop' },
  },
  {
    title: 'two CNAMEs at one name',
    world: shopWorld({ data: (add) => add(OWNER, TYPE.CNAME, nameToWire('a.'), nameToWire('b.')) }),
    expected: 'bogus alias-invalid',
  },
  {
    title: 'an unsigned CNAME',
    world: tampered(shopWorld({ data: cname('real.shop.test.') }), (response) =>
      dropRrsigs(response, (type) => type === TYPE.CNAME),
    ),
    expected: 'bogus signature-missing',
  },
  {
    title: 'a CNAME from a wildcard',
    world: shopWorld({
      data: (add) => {
        add('*.user._bitcoin-payment', TYPE.CNAME, nameToWire('real.shop.test.'))
        add('real', TYPE.TXT, text('bitcoin:?lno=real'))
      },
    }),
    expected: 'secure bitcoin:?lno=real',
  },
  { title: 'a DNAME', world: shopWorld({ data: dname }), expected: 'secure bitcoin:?lno=people' },
  {
    title: 'a DNAME whose synthesized CNAME was forged',
    world: tampered(shopWorld({ data: dname }), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.CNAME) record.rdata = nameToWire('evil.test.')
    }),
    expected: 'secure bitcoin:?lno=people',
  },
  {
    title: 'a forged DNAME',
    world: tampered(shopWorld({ data: dname }), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.DNAME) record.rdata = nameToWire('evil.test.')
    }),
    expected: 'bogus signature-wrong',
  },
  {
    title: 'a DNAME that makes a name too long',
    world: tooLong,
    name: tooLongName,
    expected: 'unavailable',
    unasked: 'delv asks on until its time is over',
  },
  {
    title: 'a DNAME that makes a name too long, from a server that does not mind',
    world: tampered(tooLong, (response) => {
      response.rcode = 0
    }),
    name: tooLongName,
    expected: 'bogus alias-invalid',
    unasked: 'delv asks on until its time is over',
  },
]
