import { describe, expect, test } from 'vitest'
import { parseResolverEndpoint } from './resolver-endpoint.ts'

describe('a resolver', () => {
  test.each([
    ['192.0.2.1', 'udp', '192.0.2.1', 53],
    ['udp://192.0.2.1:5353', 'udp', '192.0.2.1', 5353],
    ['tcp://[2001:db8::1]:853', 'tcp', '2001:db8::1', 853],
    ['2001:db8::1', 'udp', '2001:db8::1', 53],
  ])('%j is asked over %s', (text, via, address, port) => {
    expect(parseResolverEndpoint(text)).toEqual({ via, text, address: { address, port } })
  })

  test.each([
    'https://dns.example/dns-query',
    'https://192.0.2.1/',
    'https://[2001:db8::1]:8443/q?x=1',
    'http://127.0.0.1:8053/dns-query',
    'http://[::1]/dns-query',
    'http://localhost/dns-query',
  ])('%j is asked over HTTPS', (text) => {
    expect(parseResolverEndpoint(text)).toMatchObject({ via: 'https', text, url: new URL(text) })
  })

  test.each([
    '',
    'dns.example',
    'tls://192.0.2.1',
    'udp://',
    'udp://https://dns.example/',
    'http://192.0.2.1/dns-query',
    'http://127.0.0.1.example/dns-query',
    'https://user:secret@dns.example/',
    'https://dns.example/#x',
    'https://',
  ])('%j is none', (text) => {
    expect(() => parseResolverEndpoint(text)).toThrow(TypeError)
  })
})
